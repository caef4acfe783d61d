"""What a page of the journal adds to the books, column by column, and the few statements that add it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import psycopg

from services.settlement.domain.exposure import Exposures
from services.settlement.domain.journal import Entry, FeedEntry, Position
from services.settlement.domain.obligations import Obligation, RollupKey, Suspended
from shared.db.columns import Blobs, Bools, Hashes, Instants, Int2s, Int4s, Int8s, Names, Texts

Cursor: TypeAlias = "psycopg.Cursor[tuple[object, ...]]"

_MOVE = """
UPDATE settlement.buckets b SET seq = n.seq, hash = n.hash FROM unnest(%b, %b, %b) AS n (bucket, seq, hash)
WHERE b.bucket = n.bucket
"""
_INSERT_OBLIGATIONS = """
INSERT INTO settlement.obligations (bucket, seq, line, leg, partner, counterparty, version, rate_class, month, lot,
    points, original, window_number, late, occurred_at, entry_hash)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""
_UPSERT_ROLLUPS = """
INSERT INTO settlement.rollups_by_worker AS r (window_number, worker, leg, partner, counterparty, version, rate_class,
    month, subject, points, items, late_items, latest_at)
SELECT window_number, worker, leg, partner, counterparty, version, rate_class, month, subject, points::numeric, items,
    late_items, latest_at
FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
    AS n (window_number, worker, leg, partner, counterparty, version, rate_class, month, subject, points, items,
        late_items, latest_at)
ON CONFLICT (window_number, worker, leg, partner, counterparty, version, rate_class, month, subject) DO UPDATE SET
    points = r.points + EXCLUDED.points, items = r.items + EXCLUDED.items,
    late_items = r.late_items + EXCLUDED.late_items, latest_at = greatest(r.latest_at, EXCLUDED.latest_at)
"""
_UPSERT_COUNTS = """
INSERT INTO settlement.window_counts AS c (window_number, bucket, entries, late_entries, points)
SELECT window_number, bucket, entries, late_entries, points::numeric FROM unnest(%b, %b, %b, %b, %b)
    AS n (window_number, bucket, entries, late_entries, points)
ON CONFLICT (window_number, bucket) DO UPDATE SET
    entries = c.entries + EXCLUDED.entries, late_entries = c.late_entries + EXCLUDED.late_entries,
    points = c.points + EXCLUDED.points
"""
_INSERT_SUSPENSE = """
INSERT INTO settlement.suspense (bucket, seq, window_number, reason, detail, late, entry_hash, canonical)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b)
"""
OWN_WORKER = -1
"""Who counts what is not in the ledger's journal."""


@dataclass(slots=True)
class _Rollup:
    """Columns that many obligations have in common, and what these come to."""

    window: int
    leg: str
    partner: str
    version: int
    counterparty: str
    rate_class: str
    month: int
    subject: str
    points: int
    items: int
    late_items: int
    latest_at: int

    @property
    def place(self) -> tuple[object, ...]:
        """The order in which rows are locked."""
        return (
            self.window,
            self.leg,
            self.partner,
            self.version,
            self.counterparty,
            self.rate_class,
            self.month,
            self.subject,
        )


class Tally:
    """What one transaction adds. `worker` keeps its own rollups, so that two of them never wait for each other."""

    def __init__(self, worker: int = 0) -> None:
        self._worker = worker
        self._rows: list[tuple[int, int, int, _Rollup, int | None, int, int | None, bool, int, bytes]] = []
        self._suspended: list[tuple[FeedEntry, Suspended, int, bool]] = []
        self._rollups: dict[tuple[int, RollupKey, str], _Rollup] = {}
        self._counts: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._positions: dict[int, Position] = {}
        self.exposures = Exposures()

    @property
    def entries(self) -> int:
        """How many entries were counted."""
        return sum(count[0] for count in self._counts.values())

    def count(self, window: int, bucket: int, entries: int, late: int) -> None:
        """Entries of a bucket, whether they have a price or not."""
        count = self._counts[window, bucket]
        count[0] += entries
        count[1] += late

    def price(self, obligations: Sequence[Obligation], entry: Entry, hash_: bytes, window: int, *, late: bool) -> None:
        """What an entry made, line by line."""
        bucket, seq, occurred_at = entry.bucket, entry.seq, entry.occurred_at
        for line, (key, points, original, lot) in enumerate(obligations):
            rollup = self.roll_up(window, key, points, late=late, occurred_at=occurred_at)
            self._rows.append((bucket, seq, line, rollup, lot, points, original, late, occurred_at, hash_))
            self._counts[window, bucket][2] += points

    def roll_up(
        self, window: int, key: RollupKey, points: int, *, late: bool, occurred_at: int, subject: str = ""
    ) -> _Rollup:
        """Points of one obligation; answers with what it was added to."""
        place = (window, key, subject)
        found = self._rollups.get(place)
        if found is None:
            what = (key.leg.value, *key.version, key.counterparty, key.rate_class, key.month, subject)
            found = self._rollups[place] = _Rollup(window, *what, points, 1, int(late), occurred_at)
            return found
        found.points += points
        found.items += 1
        found.late_items += late
        if occurred_at > found.latest_at:
            found.latest_at = occurred_at
        return found

    def suspend(self, feed: FeedEntry, why: Suspended, window: int, *, late: bool) -> None:
        """An entry without a price."""
        self._suspended.append((feed, why, window, late))

    def move(self, bucket: int, position: Position) -> None:
        """How far a bucket is read now."""
        self._positions[bucket] = position

    def save(self, cursor: Cursor) -> None:
        """Add it all."""
        if self._rows:
            self._save_obligations(cursor)
        if self._rollups:
            self._save_rollups(cursor)
        if self._counts:
            self._save_counts(cursor)
        if self._suspended:
            self._save_suspended(cursor)
        if self._positions:
            buckets, positions = zip(*sorted(self._positions.items()), strict=True)
            columns = [Int4s(buckets), Int8s([one.seq for one in positions]), Hashes([one.hash for one in positions])]
            cursor.execute(_MOVE, columns)

    def _save_obligations(self, cursor: Cursor) -> None:
        bucket, seq, line, rollups, lot, points, original, late, occurred_at, hash_ = zip(*self._rows, strict=True)
        columns = [
            Int4s(bucket),
            Int8s(seq),
            Int2s(line),
            Names([one.leg for one in rollups]),
            Names([one.partner for one in rollups]),
            Names([one.counterparty for one in rollups]),
            Int4s([one.version for one in rollups]),
            Names([one.rate_class for one in rollups]),
            Int4s([one.month for one in rollups]),
            Int2s(lot),
            Int8s(points),
            Int8s(original),
            Int8s([one.window for one in rollups]),
            Bools(late),
            Instants(occurred_at),
            Hashes(hash_),
        ]
        cursor.execute(_INSERT_OBLIGATIONS, columns)

    def _save_rollups(self, cursor: Cursor) -> None:
        rows = sorted(self._rollups.values(), key=lambda one: one.place)
        columns = [
            Int8s([one.window for one in rows]),
            Int2s([self._worker] * len(rows)),
            Names([one.leg for one in rows]),
            Names([one.partner for one in rows]),
            Names([one.counterparty for one in rows]),
            Int4s([one.version for one in rows]),
            Names([one.rate_class for one in rows]),
            Int4s([one.month for one in rows]),
            Texts([one.subject for one in rows]),
            Texts([str(one.points) for one in rows]),  # a sum of int64 points may be larger than one
            Int8s([one.items for one in rows]),
            Int8s([one.late_items for one in rows]),
            Instants([one.latest_at for one in rows]),
        ]
        cursor.execute(_UPSERT_ROLLUPS, columns)

    def _save_counts(self, cursor: Cursor) -> None:
        rows = sorted((window, bucket, *sums) for (window, bucket), sums in self._counts.items())
        window, bucket, entries, late, points = zip(*rows, strict=True)
        columns = [Int8s(window), Int4s(bucket), Int8s(entries), Int8s(late), Texts([str(one) for one in points])]
        cursor.execute(_UPSERT_COUNTS, columns)

    def _save_suspended(self, cursor: Cursor) -> None:
        rows = self._suspended
        columns = [
            Int4s([feed.bucket for feed, _, _, _ in rows]),
            Int8s([feed.seq for feed, _, _, _ in rows]),
            Int8s([window for _, _, window, _ in rows]),
            Texts([why.reason.value for _, why, _, _ in rows]),
            Texts([why.detail for _, why, _, _ in rows]),
            Bools([late for _, _, _, late in rows]),
            Blobs([feed.hash for feed, _, _, _ in rows]),
            Blobs([feed.canonical for feed, _, _, _ in rows]),
        ]
        cursor.execute(_INSERT_SUSPENSE, columns)
