"""Questions to the ledger: an entry, a hold, pages of the journal, sums. Set-based, by bucket, never OFFSET."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from services.ledger.domain.apply import Head
from services.ledger.domain.entry import AccountKind, Entry, Place
from services.ledger.domain.lots import Hold, HoldState
from services.ledger.store.journal_pages import journal_page, journal_pages
from services.ledger.store.session import reading
from services.ledger.store.writer.places import entries_at
from services.ledger.store.writer.statements import HOLD_COLUMNS
from shared.db.columns import Int2s
from shared.instants import micros

_HOLD = f"SELECT {HOLD_COLUMNS} FROM ledger.holds h WHERE h.bucket = %s AND h.seq = %s"
_HEADS = "SELECT bucket, seq, hash FROM ledger.heads ORDER BY bucket"

_FLOWS = """
SELECT debit, debit_party, credit, credit_party, sum(points) FROM ledger.postings
WHERE debit <> ALL(%b) OR credit <> ALL(%b)
GROUP BY debit, debit_party, credit, credit_party
"""
_OUTSTANDING = "SELECT coalesce(sum(available::numeric + pending + held - debt), 0) FROM ledger.wallets"


@dataclass(frozen=True, slots=True)
class Flow:
    """Points that went from one kind of account to another, over the whole journal."""

    debit: AccountKind
    debit_party: str
    credit: AccountKind
    credit_party: str
    points: int


class Readers:
    """Everything that is asked of the ledger without changing it."""

    def __init__(self, engine: Engine, bucket_count: int) -> None:
        self._engine = engine
        self.bucket_count = bucket_count

    def entry(self, place: Place) -> Entry | None:
        with reading(self._engine) as cursor:
            return entries_at(cursor, [place]).get(place)

    def hold(self, place: Place) -> tuple[Hold, Entry] | None:
        """A hold with the entry that placed it."""
        with reading(self._engine) as cursor:
            row = cursor.execute(_HOLD, [place.bucket, place.seq]).fetchone()
            entry = entries_at(cursor, [place]).get(place) if row else None
        if row is None or entry is None:
            return None
        _, _, seq, partner, points, captured, released, state, expires_at = row
        hold = Hold(seq, partner, points, micros(expires_at), (), HoldState(state), captured, released)
        return hold, entry

    def heads(self) -> list[Head]:
        """All heads in bucket order, each as committed when it was read."""
        with reading(self._engine) as cursor:
            return [Head(bucket, seq, hash_) for bucket, seq, hash_ in cursor.execute(_HEADS)]

    def journal_after(self, bucket: int, seq: int, limit: int) -> list[Entry]:
        """The next entries of one bucket."""
        with reading(self._engine) as cursor:
            return journal_page(cursor, bucket, seq, limit)

    def journal_from(self, cursor: Mapping[int, int], limit: int) -> tuple[dict[int, int], list[Entry]]:
        """The last seq of every bucket, and about `limit` entries behind the cursor, in one session.

        Each bucket with news gives its share of the page, so that none has to wait for the others to be read dry.
        """
        with reading(self._engine) as session:
            ends = {bucket: seq for bucket, seq, _ in session.execute(_HEADS)}
            news = [bucket for bucket in sorted(cursor) if ends.get(bucket, 0) > cursor[bucket]]
            share = max(1, limit // max(1, len(news)))
            most = {bucket: min(share, ends[bucket] - cursor[bucket]) for bucket in news}
            entries = journal_pages(session, cursor, most)
        return ends, entries

    def flows(self) -> list[Flow]:
        """Sums of all postings that cross the border of a wallet, by account."""
        inside = Int2s([AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD])
        with reading(self._engine) as cursor:
            rows = cursor.execute(_FLOWS, [inside, inside]).fetchall()
        return [Flow(AccountKind(d), dp, AccountKind(c), cp, int(points)) for d, dp, c, cp, points in rows]

    def outstanding(self) -> int:
        """The sum over all wallets, read from the wallets themselves."""
        with reading(self._engine) as cursor:
            row = cursor.execute(_OUTSTANDING).fetchone()
        return int(row[0]) if row else 0
