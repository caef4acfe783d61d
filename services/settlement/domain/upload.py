"""A file that comes in pieces: taken when all of it has come and is what was announced."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from shared.refusal import Kind, Refusal


class BankFileCutShort(Refusal):
    """What came is not what was announced."""

    kind = Kind.MALFORMED
    message = "{what}: nothing of the file was taken."
    remedy = "Send it again: first what it is, then all of its bytes in order."


class TooManyUploads(Refusal):
    """Large files are read a few at a time."""

    kind = Kind.TOO_MUCH
    message = "{most} files are being uploaded already."
    remedy = "Wait {retry_after_ms} ms, then send it again with the same request id."


def joined(pieces: Iterable[bytes], size: int, digest: bytes) -> bytes:
    """The file, of `size` bytes with this SHA-256. Raises BankFileCutShort, at the first byte too many."""
    whole, found = bytearray(), sha256()
    for piece in pieces:
        whole += piece
        found.update(piece)
        if len(whole) > size:
            raise BankFileCutShort(what=f"more than the announced {size} bytes came")
    if len(whole) < size:
        raise BankFileCutShort(what=f"{len(whole)} of {size} bytes came")
    if found.digest() != digest:
        raise BankFileCutShort(what="its SHA-256 is not the announced one")
    return bytes(whole)
