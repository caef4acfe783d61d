"""A page of the journal into the books: checked, priced, grouped and written in one transaction.

A crash repeats nothing: the cursor moves with what was counted. A hole or a hash that does not follow stops that
bucket and says why; an entry without a price goes to suspense, in its window, without money.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from services.settlement.domain.contract import PriceBook, VersionId
from services.settlement.domain.journal import (
    BrokenFeed,
    Entry,
    FeedEntry,
    Position,
    followed,
)
from services.settlement.domain.keys import Keys
from services.settlement.domain.legs import Leg, sides
from services.settlement.domain.obligations import (
    Original,
    Owed,
    Reason,
    RollupKey,
    Suspended,
    originals,
    undone,
)
from services.settlement.domain.pricing import Pricing
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.formats.entries import Unreadable, read
from services.settlement.store import exposures, windows
from services.settlement.store.contracts import price_book, versions_known
from services.settlement.store.tally import Cursor, Tally
from shared.db.columns import Int8s
from shared.db.sessions import cursor_of

_BUCKETS = text("SELECT bucket, seq, hash, stopped_because FROM settlement.buckets ORDER BY bucket")
_ENSURE_BUCKETS = text("""
INSERT INTO settlement.buckets (bucket, seq, hash) SELECT b, 0, :start FROM generate_series(0, :last) AS b
ON CONFLICT DO NOTHING
""")
_LOCKED = text("""
SELECT bucket, seq, hash, stopped_because FROM settlement.buckets WHERE bucket = ANY(:buckets)
ORDER BY bucket FOR UPDATE
""")
_FILL_POINTS = text("""
UPDATE settlement.window_counts c SET points = (
    SELECT coalesce(sum(o.points), 0) FROM settlement.obligations o
    WHERE o.bucket = c.bucket AND o.window_number = c.window_number
) WHERE c.points IS NULL
""")
_START_AGAIN = text("UPDATE settlement.buckets SET stopped_because = '' WHERE stopped_because <> ''")
_STOP = text("UPDATE settlement.buckets SET stopped_because = :why WHERE bucket = :bucket")
_OWED = """
SELECT coalesce(o.original, o.seq), o.leg, o.partner, o.lot, max(o.counterparty), max(o.version), max(o.rate_class),
    max(o.month), sum(o.points)::bigint
FROM settlement.obligations o
WHERE o.bucket = %s AND (o.seq = ANY(%b) OR o.original = ANY(%b)) AND (o.points > 0 OR o.original IS NOT NULL)
GROUP BY 1, 2, 3, 4
"""
_WAITING = "SELECT seq FROM settlement.suspense WHERE bucket = %s AND seq = ANY(%b)"


class Lane:
    """Who counts some of the buckets. It keeps what it knows of the contracts, until there are more of them."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self._known = -1
        self._keys = Keys(PriceBook())

    def keys(self, connection: Connection) -> Keys:
        """Of all versions that there are now."""
        known = versions_known(connection)
        if known != self._known:
            self._keys, self._known = Keys(price_book(connection, known)), known
        return self._keys


def ensure_buckets(connection: Connection, bucket_count: int) -> None:
    """A cursor for each bucket of the ledger, standing before its first entry."""
    connection.execute(_ENSURE_BUCKETS, {"start": bytes(32), "last": bucket_count - 1})


def positions(connection: Connection) -> dict[int, tuple[Position, str]]:
    """How far each bucket has been read, and why it stopped, if it did."""
    rows = connection.execute(_BUCKETS)
    return {row.bucket: (Position(row.seq, bytes(row.hash)), row.stopped_because) for row in rows}


def take_in(
    connection: Connection, page: Sequence[FeedEntry], lane: Lane | None = None, *, stopped_too: bool = False
) -> int:
    """Count a page; answers with the entries that were counted. Zero while a window waits for its edge.

    `stopped_too`: a bucket that stopped goes on if the page follows now, and else stays as it is.
    """
    windows.share(connection)
    live = windows.live(connection)
    if any(window.asked_to_close and window.state is WindowState.OPEN for window in live):
        return 0
    lane = lane or Lane()
    keys = lane.keys(connection)
    tally, cursor = Tally(lane.number), cursor_of(connection)
    pages = _by_bucket(page)
    for row in connection.execute(_LOCKED, {"buckets": list(pages)}).all():
        entries = [entry for entry in pages[row.bucket] if entry.seq > row.seq]  # at-least-once: the rest we have
        if not entries or (row.stopped_because and not stopped_too):
            continue
        position = Position(row.seq, bytes(row.hash))
        try:
            reached = followed(position, entries)
            _check_edges(row.bucket, position, entries, live)
        except BrokenFeed as broken:
            stop(connection, row.bucket, str(broken))
            continue
        if row.stopped_because:
            stop(connection, row.bucket, "")
        tally.move(row.bucket, reached)
        _count(cursor, row.bucket, entries, live, keys, tally)
    tally.save(cursor)
    exposures.add(cursor, lane.number, tally.exposures)
    return tally.entries


def start_again(connection: Connection) -> None:
    """Look again at what was stopped: whoever starts the service may have mended the cause. If not, it stops again.

    What the first release counted has no points beside it yet.
    """
    connection.execute(_START_AGAIN)
    connection.execute(_FILL_POINTS)


def stop(connection: Connection, bucket: int, why: str) -> None:
    """Read this bucket no further until somebody has looked."""
    connection.execute(_STOP, {"bucket": bucket, "why": why})


def _count(
    cursor: Cursor, bucket: int, page: list[FeedEntry], live: Sequence[Window], keys: Keys, tally: Tally
) -> None:
    entries = [_read(feed) for feed in page]
    pricing = pricing_of(cursor, bucket, [entry for entry in entries if isinstance(entry, Entry)], keys)
    for feed, entry in zip(page, entries, strict=True):
        window = window_for(feed, live)
        if isinstance(entry, Suspended):
            tally.count(window.number, bucket, 1, 0)
            tally.suspend(feed, entry, window.number, late=False)
            pricing.wait_for([feed.seq])
            continue
        tally.exposures.add(entry)
        late_by = window.late_by(entry.occurred_at)
        tally.count(window.number, bucket, 1, late_by > 0)
        outcome = pricing.obligations(entry, late_by)
        if isinstance(outcome, Suspended):
            tally.suspend(feed, outcome, window.number, late=late_by > 0)
        elif outcome:
            tally.price(outcome, entry, feed.hash, window.number, late=late_by > 0)


def pricing_of(cursor: Cursor, bucket: int, entries: Sequence[Entry], keys: Keys) -> Pricing:
    """A pricing that remembers what these entries take back, as far as it was counted on earlier pages."""
    pricing = Pricing(keys, undone(entries))
    wanted = sorted(originals(entries))
    if not wanted:
        return pricing
    column = Int8s(wanted)
    for row in cursor.execute(_OWED, [bucket, column, column]).fetchall():
        seq, leg_, partner, lot, counterparty, version, rate_class, month, left = row
        leg = Leg(leg_)
        debtor, creditor = sides(leg, str(partner), str(counterparty))
        id_ = VersionId(str(partner), _int(version))
        key = RollupKey(leg, debtor, creditor, id_, str(rate_class), _int(month))
        original = Original(_int(seq), leg, str(partner), None if lot is None else _int(lot))
        pricing.recall(original, Owed(key, _int(left)))
    pricing.wait_for(_int(seq) for (seq,) in cursor.execute(_WAITING, [bucket, column]).fetchall())
    return pricing


def window_for(feed: FeedEntry, live: Sequence[Window]) -> Window:
    """Up to its edge the closing window, beyond it the open one."""
    for window in live:
        if window.to is None or feed.seq <= window.to.seqs[feed.bucket]:
            return window
    raise LookupError("there is no open window")


def check_against(edge: Edge, bucket: int, position: Position) -> None:
    """Raises BrokenFeed when the checkpoint has another hash for the place we stand at."""
    if position.seq == edge.seqs[bucket] and position.seq and position.hash != edge.hashes[bucket]:
        raise BrokenFeed(f"checkpoint {edge.checkpoint} holds another hash for entry {bucket}-{position.seq}")


def _by_bucket(page: Sequence[FeedEntry]) -> dict[int, list[FeedEntry]]:
    found: dict[int, list[FeedEntry]] = {}
    for entry in page:
        found.setdefault(entry.bucket, []).append(entry)
    return found


def _check_edges(bucket: int, position: Position, page: Sequence[FeedEntry], live: Sequence[Window]) -> None:
    """The entry that a signed checkpoint names must be the one we read, now or just before."""
    for edge in (window.to for window in live if window.to):
        check_against(edge, bucket, position)
        place = edge.seqs[bucket] - position.seq - 1
        if 0 <= place < len(page):
            check_against(edge, bucket, Position(page[place].seq, page[place].hash))


def _read(feed: FeedEntry) -> Entry | Suspended:
    try:
        return read(feed)
    except Unreadable as unreadable:
        return Suspended(Reason.UNREADABLE, str(unreadable))


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value
