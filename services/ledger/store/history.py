"""A partner's entries in pages: by journal order, from behind a place on, as far as the filters let them through."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Engine

from services.ledger.domain.entry import Entry, EntryKind, Place, Unit
from services.ledger.store.session import reading
from services.ledger.store.writer.places import with_postings
from services.ledger.store.writer.statements import ENTRY_COLUMNS
from shared.db.columns import Int2s
from shared.instants import instant

_FIRST, _LAST = 0, 253_402_300_799_999_999  # the years 1970 to 9999

_OF_PARTNER = f"""
SELECT {ENTRY_COLUMNS} FROM ledger.entries e
WHERE e.bucket = %s AND e.partner = %s AND e.seq > %s AND e.kind = ANY(%b) AND e.posted_at >= %s AND e.posted_at < %s
ORDER BY e.seq LIMIT %s
"""
_OF_WALLET = f"""
SELECT {ENTRY_COLUMNS} FROM ledger.entries e
WHERE e.bucket = %s AND e.wallet_id = %s AND e.unit = %s AND e.partner = %s AND e.kind = ANY(%b)
    AND e.posted_at >= %s AND e.posted_at < %s AND (e.posted_at, e.seq) > (%s, %s)
ORDER BY e.posted_at, e.seq LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted: of these kinds (all when empty), posted in [from_, before) in microseconds."""

    kinds: frozenset[EntryKind] = frozenset()
    from_: int = _FIRST
    before: int = _LAST

    def columns(self) -> list[object]:
        return [Int2s(sorted(self.kinds or EntryKind)), instant(self.from_), instant(self.before)]


class Reached(NamedTuple):
    """How far a reader of a wallet's history has come."""

    posted_at: int = 0
    seq: int = 0


class History:
    """Pages of entries. `limit` bounds a page; a shorter one is the last."""

    def __init__(self, engine: Engine, bucket_count: int) -> None:
        self._engine = engine
        self._bucket_count = bucket_count

    def of_partner(self, partner: str, wanted: Filter, after: Place, limit: int) -> list[Entry]:
        """The partner's entries by bucket, then seq."""
        found: list[Entry] = []
        with reading(self._engine) as cursor:
            for bucket in range(after.bucket, self._bucket_count):
                seq = after.seq if bucket == after.bucket else 0
                parameters = [bucket, partner, seq, *wanted.columns(), limit - len(found)]
                found += with_postings(cursor, cursor.execute(_OF_PARTNER, parameters).fetchall())
                if len(found) >= limit:
                    break
        return found

    def of_wallet(
        self, bucket: int, wallet: UUID, partner: str, wanted: Filter, after: Reached, limit: int
    ) -> list[Entry]:
        """One partner's entries of one wallet, oldest first."""
        with reading(self._engine) as cursor:
            parts = [
                cursor.execute(
                    _OF_WALLET,
                    [bucket, wallet, unit, partner, *wanted.columns(), instant(after.posted_at), after.seq, limit],
                ).fetchall()
                for unit in Unit
            ]
            return with_postings(cursor, list(merge(*parts, key=lambda row: row[1]))[:limit])


def reached(entry: Entry) -> Reached:
    return Reached(entry.posted_at, entry.seq)
