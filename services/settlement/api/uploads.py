"""Files that come in pieces: a header, then their bytes; two at once, because each is held whole until it is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from coalition.settlement.v1 import reconciliation_pb2 as pb

from services.settlement.domain.upload import BankFileCutShort, TooManyUploads, joined

MOST: Final = 2
_AGAIN_MS: Final = 5_000
Parts: TypeAlias = "Iterator[pb.UploadBankFileRequest]"


class Uploads:
    """The uploads of one process."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MOST)

    @contextmanager
    def one(self) -> Iterator[Callable[[Parts], tuple[pb.BankFileHeader, bytes]]]:
        """A place for one, until its file is taken; gives what gathers it. Raises TooManyUploads."""
        if not self._places.acquire(blocking=False):
            raise TooManyUploads(most=MOST, retry_after_ms=_AGAIN_MS)
        try:
            yield _gathered
        finally:
            self._places.release()


def _gathered(parts: Parts) -> tuple[pb.BankFileHeader, bytes]:
    """What it is, and all of its bytes. Raises BankFileCutShort."""
    first = next(parts, None)
    if first is None or not first.HasField("header"):
        raise BankFileCutShort(what="the first message does not say what the file is")
    return first.header, joined(_pieces(parts), first.header.size_bytes, first.header.sha256)


def _pieces(parts: Parts) -> Iterator[bytes]:
    for part in parts:
        if not part.HasField("piece"):
            raise BankFileCutShort(what="a second message says what the file is")
        yield part.piece
