"""A page of the journal into the books: checked, priced, grouped and written in one transaction.

A crash repeats nothing: the cursor moves with what was counted. A hole or a hash that does not follow stops that
bucket and says why; an entry without a price goes to suspense, in its window, without money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import psycopg
from sqlalchemy import Connection, text

from services.settlement.domain.contract import PriceBook, VersionId
from services.settlement.domain.journal import (
    BrokenFeed,
    Entry,
    FeedEntry,
    Position,
    Unreadable,
    followed,
    read,
)
from services.settlement.domain.obligations import (
    Leg,
    Obligation,
    Original,
    Owed,
    Pricing,
    Reason,
    Suspended,
    originals,
)
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.store import windows
from services.settlement.store.contracts import price_book, versions_known
from shared.db.columns import Blobs, Bools, Column, Instants, Int2s, Int4s, Int8s, Texts
from shared.db.sessions import cursor_of

Cursor = psycopg.Cursor[tuple[object, ...]]

_BUCKETS = text("SELECT bucket, seq, hash, stopped_because FROM settlement.buckets ORDER BY bucket")
_ENSURE_BUCKETS = text("""
INSERT INTO settlement.buckets (bucket, seq, hash) SELECT b, 0, :start FROM generate_series(0, :last) AS b
ON CONFLICT DO NOTHING
""")
_LOCKED = text("SELECT seq, hash, stopped_because FROM settlement.buckets WHERE bucket = :bucket FOR UPDATE")
_START_AGAIN = text("UPDATE settlement.buckets SET stopped_because = '' WHERE stopped_because <> ''")
_STOP = text("UPDATE settlement.buckets SET stopped_because = :why WHERE bucket = :bucket")
_MOVE = """
UPDATE settlement.buckets b SET seq = n.seq, hash = n.hash FROM unnest(%b, %b, %b) AS n (bucket, seq, hash)
WHERE b.bucket = n.bucket
"""
_OWED = """
SELECT coalesce(o.original, o.seq) AS original, o.leg, o.partner, max(o.version) AS version, sum(o.points)::bigint
FROM settlement.obligations o
WHERE o.bucket = %s AND (o.seq = ANY(%b) OR o.original = ANY(%b)) AND (o.points > 0 OR o.original IS NOT NULL)
GROUP BY 1, 2, 3
"""
_INSERT_OBLIGATIONS = """
INSERT INTO settlement.obligations (bucket, seq, line, leg, partner, version, points, original, window_number, late,
    occurred_at, entry_hash)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""
_UPSERT_ROLLUPS = """
INSERT INTO settlement.rollups AS r (window_number, leg, partner, version, points, items, late_items, latest_at)
SELECT window_number, leg, partner, version, points::numeric, items, late_items, latest_at
FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b)
    AS n (window_number, leg, partner, version, points, items, late_items, latest_at)
ON CONFLICT (window_number, leg, partner, version) DO UPDATE SET
    points = r.points + EXCLUDED.points, items = r.items + EXCLUDED.items,
    late_items = r.late_items + EXCLUDED.late_items, latest_at = greatest(r.latest_at, EXCLUDED.latest_at)
"""
_UPSERT_COUNTS = """
INSERT INTO settlement.window_counts AS c (window_number, bucket, entries, late_entries)
SELECT * FROM unnest(%b, %b, %b, %b)
ON CONFLICT (window_number, bucket) DO UPDATE SET
    entries = c.entries + EXCLUDED.entries, late_entries = c.late_entries + EXCLUDED.late_entries
"""
_INSERT_SUSPENSE = """
INSERT INTO settlement.suspense (bucket, seq, window_number, reason, detail, late, entry_hash, canonical)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b)
"""
_SUSPENDED = text("""
SELECT bucket, seq, window_number, late, entry_hash, canonical FROM settlement.suspense ORDER BY bucket, seq
""")
_TAKE_OUT = text("DELETE FROM settlement.suspense WHERE bucket = :bucket AND seq = :seq")
_SUSPENSE_COUNT = text("SELECT count(*) FROM settlement.suspense")


@dataclass(frozen=True, slots=True)
class Priced:
    """An obligation, its line within its entry, and the window it belongs to."""

    obligation: Obligation
    line: int
    entry: Entry
    hash: bytes
    window: int
    late: bool


@dataclass(slots=True)
class Tally:
    """What one page adds to the books."""

    priced: list[Priced] = field(default_factory=list)
    suspended: list[tuple[FeedEntry, Suspended, int, bool]] = field(default_factory=list)
    counts: dict[tuple[int, int], tuple[int, int]] = field(default_factory=lambda: defaultdict(lambda: (0, 0)))
    positions: dict[int, Position] = field(default_factory=dict)

    def count(self, window: int, bucket: int, *, late: bool) -> None:
        entries, late_entries = self.counts[window, bucket]
        self.counts[window, bucket] = (entries + 1, late_entries + late)


def ensure_buckets(connection: Connection, bucket_count: int) -> None:
    """A cursor for each bucket of the ledger, standing before its first entry."""
    connection.execute(_ENSURE_BUCKETS, {"start": bytes(32), "last": bucket_count - 1})


def positions(connection: Connection) -> dict[int, tuple[Position, str]]:
    """How far each bucket has been read, and why it stopped, if it did."""
    rows = connection.execute(_BUCKETS)
    return {row.bucket: (Position(row.seq, bytes(row.hash)), row.stopped_because) for row in rows}


def suspense_count(connection: Connection) -> int:
    """Entries that wait for a price."""
    return int(connection.execute(_SUSPENSE_COUNT).scalar_one())


def take_in(connection: Connection, page: Sequence[FeedEntry]) -> int:
    """Count a page; answers with the entries that were counted. Zero while a window waits for its edge."""
    live = windows.live(connection)
    if any(window.asked_to_close and window.state is WindowState.OPEN for window in live):
        return 0
    book = price_book(connection, versions_known(connection))
    tally, cursor = Tally(), cursor_of(connection)
    for bucket, entries in _by_bucket(page).items():
        _take_in_bucket(connection, cursor, bucket, entries, live, book, tally)
    _save(cursor, tally)
    return sum(entries for entries, _ in tally.counts.values())


def resolve(connection: Connection) -> int:
    """Try every suspended entry again, in journal order; answers with how many have a price now."""
    windows.lock(connection)
    book = price_book(connection, versions_known(connection))
    tally, cursor = Tally(), cursor_of(connection)
    resolved = 0
    for bucket, rows in groupby(connection.execute(_SUSPENDED).all(), key=lambda row: row.bucket):
        waiting = [(row, FeedEntry(bucket, row.seq, bytes(row.entry_hash), bytes(row.canonical))) for row in rows]
        readable = [(row, feed, entry) for row, feed in waiting if isinstance(entry := _read(feed), Entry)]
        pricing = _pricing(cursor, bucket, [entry for _, _, entry in readable], book)
        for row, feed, entry in readable:
            obligations = pricing.obligations(entry)
            if isinstance(obligations, Suspended):
                continue
            resolved += 1
            connection.execute(_TAKE_OUT, {"bucket": bucket, "seq": row.seq})
            tally.priced += _lines(obligations, entry, feed.hash, row.window_number, late=row.late)
    _save(cursor, tally)
    return resolved


def start_again(connection: Connection) -> None:
    """Look again at what was stopped: whoever starts the service may have mended the cause. If not, it stops again."""
    connection.execute(_START_AGAIN)


def stop(connection: Connection, bucket: int, why: str) -> None:
    """Read this bucket no further until somebody has looked."""
    connection.execute(_STOP, {"bucket": bucket, "why": why})


def _take_in_bucket(
    connection: Connection,
    cursor: Cursor,
    bucket: int,
    page: list[FeedEntry],
    live: Sequence[Window],
    book: PriceBook,
    tally: Tally,
) -> None:
    row = connection.execute(_LOCKED, {"bucket": bucket}).one()
    position = Position(row.seq, bytes(row.hash))
    page = [entry for entry in page if entry.seq > position.seq]  # at-least-once: what we have is skipped
    if not page or row.stopped_because:
        return
    try:
        reached = followed(position, page)
        _check_edges(bucket, [position, *(Position(entry.seq, entry.hash) for entry in page)], live)
    except BrokenFeed as broken:
        stop(connection, bucket, str(broken))
        return
    tally.positions[bucket] = reached
    read_page = [(feed, _read(feed)) for feed in page]
    pricing = _pricing(cursor, bucket, [entry for _, entry in read_page if isinstance(entry, Entry)], book)
    for feed, entry in read_page:
        window = window_for(feed, live)
        late = isinstance(entry, Entry) and window.is_late(entry.occurred_at)
        tally.count(window.number, bucket, late=late)
        outcome = entry if isinstance(entry, Suspended) else pricing.obligations(entry)
        if isinstance(outcome, Suspended):
            tally.suspended.append((feed, outcome, window.number, late))
        elif isinstance(entry, Entry):
            tally.priced += _lines(outcome, entry, feed.hash, window.number, late=late)


def _lines(obligations: Sequence[Obligation], entry: Entry, hash_: bytes, window: int, *, late: bool) -> list[Priced]:
    return [Priced(obligation, line, entry, hash_, window, late) for line, obligation in enumerate(obligations)]


def _by_bucket(page: Sequence[FeedEntry]) -> dict[int, list[FeedEntry]]:
    found: dict[int, list[FeedEntry]] = {}
    for entry in page:
        found.setdefault(entry.bucket, []).append(entry)
    return found


def window_for(feed: FeedEntry, live: Sequence[Window]) -> Window:
    """Up to its edge the closing window, beyond it the open one."""
    for window in live:
        if window.to is None or feed.seq <= window.to.seqs[feed.bucket]:
            return window
    raise LookupError("there is no open window")


def _check_edges(bucket: int, passed: Sequence[Position], live: Sequence[Window]) -> None:
    """The entry that a signed checkpoint names must be the one we read, now or just before."""
    for edge in (window.to for window in live if window.to):
        for position in passed:
            check_against(edge, bucket, position)


def check_against(edge: Edge, bucket: int, position: Position) -> None:
    """Raises BrokenFeed when the checkpoint has another hash for the place we stand at."""
    if position.seq == edge.seqs[bucket] and position.seq and position.hash != edge.hashes[bucket]:
        raise BrokenFeed(f"checkpoint {edge.checkpoint} holds another hash for entry {bucket}-{position.seq}")


def _read(feed: FeedEntry) -> Entry | Suspended:
    try:
        return read(feed)
    except Unreadable as unreadable:
        return Suspended(Reason.UNREADABLE, str(unreadable))


def _pricing(cursor: Cursor, bucket: int, entries: Sequence[Entry], book: PriceBook) -> Pricing:
    """A pricing that remembers what these entries take back, as far as it was counted on earlier pages."""
    pricing = Pricing(book)
    wanted = sorted(originals(entries))
    if wanted:
        column = Int8s(wanted)
        for original, leg, partner, version, left in cursor.execute(_OWED, [bucket, column, column]).fetchall():
            owed = Owed(VersionId(str(partner), _int(version)), _int(left))
            pricing.recall(Original(_int(original), Leg(leg), str(partner)), owed)
    return pricing


def _save(cursor: Cursor, tally: Tally) -> None:
    if tally.priced:
        cursor.execute(_INSERT_OBLIGATIONS, _obligation_columns(tally.priced))
        cursor.execute(_UPSERT_ROLLUPS, _rollup_columns(tally.priced))
    if tally.counts:
        cursor.execute(_UPSERT_COUNTS, _count_columns(tally.counts))
    if tally.suspended:
        cursor.execute(_INSERT_SUSPENSE, _suspense_columns(tally.suspended))
    if tally.positions:
        moved = sorted(tally.positions.items())
        cursor.execute(
            _MOVE,
            [
                Int4s([bucket for bucket, _ in moved]),
                Int8s([position.seq for _, position in moved]),
                Blobs([position.hash for _, position in moved]),
            ],
        )


def _obligation_columns(priced: Sequence[Priced]) -> list[Column]:
    keys = [one.obligation.key for one in priced]
    return [
        Int4s([one.entry.bucket for one in priced]),
        Int8s([one.entry.seq for one in priced]),
        Int2s([one.line for one in priced]),
        Texts([key.leg.value for key in keys]),
        Texts([key.version.partner for key in keys]),
        Int4s([key.version.number for key in keys]),
        Int8s([one.obligation.points for one in priced]),
        Int8s([one.obligation.original for one in priced]),
        Int8s([one.window for one in priced]),
        Bools([one.late for one in priced]),
        Instants([one.entry.occurred_at for one in priced]),
        Blobs([one.hash for one in priced]),
    ]


def _rollup_columns(priced: Sequence[Priced]) -> list[Column]:
    sums: dict[tuple[int, str, str, int], list[int]] = {}
    for one in priced:
        leg, _, _, version = one.obligation.key
        row = sums.setdefault((one.window, leg.value, version.partner, version.number), [0, 0, 0, 0])
        row[0] += one.obligation.points
        row[1] += 1
        row[2] += one.late
        row[3] = max(row[3], one.entry.occurred_at)
    keys = sorted(sums)
    rows = [sums[key] for key in keys]
    return [
        Int8s([key[0] for key in keys]),
        Texts([key[1] for key in keys]),
        Texts([key[2] for key in keys]),
        Int4s([key[3] for key in keys]),
        Texts([str(row[0]) for row in rows]),  # a sum of int64 points may be larger than one
        Int8s([row[1] for row in rows]),
        Int8s([row[2] for row in rows]),
        Instants([row[3] for row in rows]),
    ]


def _count_columns(counts: Mapping[tuple[int, int], tuple[int, int]]) -> list[Column]:
    rows = sorted(counts.items())
    return [
        Int8s([window for (window, _), _ in rows]),
        Int4s([bucket for (_, bucket), _ in rows]),
        Int8s([entries for _, (entries, _) in rows]),
        Int8s([late for _, (_, late) in rows]),
    ]


def _suspense_columns(rows: Sequence[tuple[FeedEntry, Suspended, int, bool]]) -> list[Column]:
    return [
        Int4s([feed.bucket for feed, _, _, _ in rows]),
        Int8s([feed.seq for feed, _, _, _ in rows]),
        Int8s([window for _, _, window, _ in rows]),
        Texts([why.reason.value for _, why, _, _ in rows]),
        Texts([why.detail for _, why, _, _ in rows]),
        Bools([late for _, _, _, late in rows]),
        Blobs([feed.hash for feed, _, _, _ in rows]),
        Blobs([feed.canonical for feed, _, _, _ in rows]),
    ]


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value
