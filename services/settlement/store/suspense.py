"""Entries that could not be priced: looked at again when there are new terms, or waived by two people.

What is waived stays where it is and never gets a price: its window closes without its money, which an adjustment may
give later.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection, Row, text

from services.settlement.domain.journal import Entry, FeedEntry
from services.settlement.domain.keys import Keys
from services.settlement.domain.obligations import Suspended
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.formats.entries import Unreadable, read
from services.settlement.store import proposals, windows
from services.settlement.store.contracts import price_book, versions_known
from services.settlement.store.ingest import pricing_of
from services.settlement.store.tally import OWN_WORKER, Tally
from shared.canonical import Canonical
from shared.db.sessions import cursor_of
from shared.instants import micros
from shared.refusal import Kind as RefusalKind
from shared.refusal import Refusal

_OPEN = text("""
SELECT s.bucket, s.seq, s.window_number, s.late, s.entry_hash, s.canonical, w.opened_at FROM settlement.suspense s
JOIN settlement.windows w ON w.number = s.window_number WHERE s.waived = '' ORDER BY s.bucket, s.seq
""")
_TAKE_OUT = text("DELETE FROM settlement.suspense WHERE bucket = :bucket AND seq = :seq")
_COUNT = text("SELECT count(*) FROM settlement.suspense WHERE waived = ''")
_PAGE = text("""
SELECT bucket, seq, reason, detail, entry_hash, waived FROM settlement.suspense
WHERE window_number = :number AND (bucket, seq) > (:bucket, :seq) ORDER BY bucket, seq LIMIT :limit
""")
_MOST = 100_000
_WAIVE = text("""
UPDATE settlement.suspense SET waived = :proposal
WHERE window_number = :number AND bucket = :bucket AND seq = :seq AND waived = ''
""")


class NothingToWaive(Refusal):
    """Nobody needs two people for nothing."""

    kind = RefusalKind.NOT_NOW
    message = "No entry of {window} waits for a price."
    remedy = "Close it."


class Waiting(NamedTuple):
    """An entry in suspense. `waived` names the proposal by which two people let its window close without it."""

    bucket: int
    seq: int
    reason: str
    detail: str
    hash: bytes
    waived: str


def count(connection: Connection) -> int:
    """Entries that wait for a price."""
    return int(connection.execute(_COUNT).scalar_one())


def page(connection: Connection, number: int, bucket: int, seq: int, limit: int) -> list[Waiting]:
    """The next ones of a window after a place: what is, or was when it closed, without a price."""
    rows = connection.execute(_PAGE, {"number": number, "bucket": bucket, "seq": seq, "limit": limit})
    return [Waiting(row.bucket, row.seq, row.reason, row.detail, bytes(row.entry_hash), row.waived) for row in rows]


def propose_waiver(connection: Connection, number: int, why: str, by: str, at: datetime) -> str:
    """What two people agree on: these entries and no others, for this reason. Raises NothingToWaive."""
    waiting = page(connection, number, 0, 0, _MOST)
    entries: list[Canonical] = [[one.bucket, one.seq, one.hash.hex(), one.reason] for one in waiting if not one.waived]
    if not entries:
        raise NothingToWaive(window=f"windows/{number}")
    content: Canonical = {"entries": entries, "why": why, "window": number}
    return proposals.propose(connection, Kind.WAIVER, f"windows/{number}", content, by, at).name


def waive(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of approving a waiver."""
    windows.lock(connection)
    content = proposal.content
    assert isinstance(content, dict)  # noqa: S101  our own document
    number, entries = content["window"], content["entries"]
    assert isinstance(entries, list)  # noqa: S101
    for bucket, seq, *_ in entries:
        facts = {"proposal": proposal.name, "number": number, "bucket": bucket, "seq": seq}
        connection.execute(_WAIVE, facts)


def resolve(connection: Connection) -> int:
    """Try every suspended entry again, in journal order; answers with how many have a price now."""
    windows.lock(connection)
    keys = Keys(price_book(connection, versions_known(connection)))
    tally, cursor = Tally(OWN_WORKER), cursor_of(connection)
    resolved = 0
    for bucket, rows in groupby(connection.execute(_OPEN).all(), key=lambda row: int(row.bucket)):
        waiting = [(row, entry) for row in rows if (entry := _entry(row)) is not None]
        pricing = pricing_of(cursor, bucket, [entry for _, entry in waiting], keys)
        for row, entry in waiting:
            opened_at = micros(row.opened_at) if row.window_number > 1 else entry.occurred_at
            obligations = pricing.obligations(entry, max(opened_at - entry.occurred_at, 0))
            if isinstance(obligations, Suspended):
                continue
            resolved += 1
            connection.execute(_TAKE_OUT, {"bucket": bucket, "seq": row.seq})
            tally.price(obligations, entry, bytes(row.entry_hash), row.window_number, late=row.late)
    tally.save(cursor)
    return resolved


def _entry(row: Row[tuple[object, ...]]) -> Entry | None:
    try:
        return read(FeedEntry(row.bucket, row.seq, bytes(row.entry_hash), bytes(row.canonical)))
    except Unreadable:
        return None
