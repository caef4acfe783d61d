"""Seals as rows: made when a window is closed, made again from its rows before the next one may be chained to it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.documents import Signer
from services.settlement.domain.lines import Rollup
from services.settlement.domain.refusals import WindowNotFound
from services.settlement.domain.seal import BucketCount, seal, signed_seal
from services.settlement.domain.window import Edge, Window
from services.settlement.store import books, own_journal, windows
from shared.canonical import Canonical, canonical

_COUNTS = text("""
SELECT bucket, entries, late_entries, points::text AS points FROM settlement.window_counts
WHERE window_number = :number ORDER BY bucket
""")
_WAIVED = text("SELECT count(*) FROM settlement.suspense WHERE window_number = :number")
_INSERT = text("""
INSERT INTO settlement.seals (window_number, document, sha256) VALUES (:number, :document, :sha256)
""")
_FOUND = text("SELECT document, sha256 FROM settlement.seals WHERE window_number = :number")


class Seal(NamedTuple):
    """Signed canonical JSON, and its SHA-256, which the next seal names."""

    document: bytes
    sha256: bytes


def found(connection: Connection, number: int) -> Seal:
    """The seal of a closed window. Raises WindowNotFound; windows of the first release have none."""
    row = connection.execute(_FOUND, {"number": number}).first()
    if row is None:
        raise WindowNotFound(window=f"seal of windows/{number}")
    return Seal(bytes(row.document), bytes(row.sha256))


def digest(connection: Connection, number: int) -> bytes:
    """The SHA-256 of a window's seal; nothing where it has none."""
    row = connection.execute(_FOUND, {"number": number}).first()
    return bytes(row.sha256) if row else b""


def counts(connection: Connection, number: int) -> list[BucketCount]:
    """What a window counted, by bucket."""
    rows = connection.execute(_COUNTS, {"number": number})
    return [BucketCount(row.bucket, row.entries, row.late_entries, int(row.points)) for row in rows]


def make(
    connection: Connection, window: Window, opening: Edge | None, closing: Edge, rollups: list[Rollup], signer: Signer
) -> bytes:
    """Seal a window that is being closed; answers with the SHA-256 of its seal."""
    document = signed_seal(*_signed(_document(connection, window, opening, closing, rollups), signer))
    digest = sha256(document).digest()
    connection.execute(_INSERT, {"number": window.number, "document": document, "sha256": digest})
    return digest


def broken(connection: Connection, number: int, signer: Signer) -> str:
    """What is wrong with a sealed window: its rows give another seal, or the seal is not ours. Empty: nothing."""
    row = connection.execute(_FOUND, {"number": number}).first()
    if row is None:
        return ""  # before the first window, and in the first release, there is no seal
    window = windows.found(connection, f"windows/{number}")
    if window.to is None:
        return f"windows/{number} has a seal and no edge"
    opening = windows.found(connection, f"windows/{number - 1}").to if number > 1 else None
    again = _document(connection, window, opening, window.to, books.rollups(connection, number))
    document = bytes(row.document)
    if sha256(document).digest() != bytes(row.sha256):
        return f"the hash of the seal of windows/{number} is another"
    stored = json.loads(document)
    signature = stored.pop("signature")
    if canonical(stored) == canonical(again):
        ours = signature["key_id"] != signer.key_id or signature["value"] == signer.sign(canonical(again)).hex()
        return "" if ours else f"the signature of the seal of windows/{number} is not ours"
    changed = sorted(name for name in again.keys() | stored.keys() if again.get(name) != stored.get(name))
    return f"windows/{number} is not what was sealed: {', '.join(changed)}"


def _document(
    connection: Connection, window: Window, opening: Edge | None, closing: Edge, rollups: list[Rollup]
) -> dict[str, Canonical]:
    waived = int(connection.execute(_WAIVED, {"number": window.number}).scalar_one())
    previous = connection.execute(_FOUND, {"number": window.number - 1}).first()
    own = (window.own_to, own_journal.hash_at(connection, window.own_to))
    before = bytes(previous.sha256) if previous else b""
    return seal(window, opening, closing, counts(connection, window.number), rollups, waived, own, before)


def _signed(document: dict[str, Canonical], signer: Signer) -> tuple[dict[str, Canonical], str, bytes]:
    return document, signer.key_id, signer.sign(canonical(document))
