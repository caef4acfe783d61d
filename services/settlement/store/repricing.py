"""Each entry followed, priced and counted once more, and struck off what the books hold for it."""

from __future__ import annotations

import json
from hashlib import sha256

from sqlalchemy import Connection

from services.settlement.domain.contract import PriceBook, VersionId
from services.settlement.domain.journal import (
    START,
    BrokenFeed,
    Entry,
    FeedEntry,
    Position,
    followed,
)
from services.settlement.domain.legs import Leg, sides
from services.settlement.domain.lines import key_of
from services.settlement.domain.obligations import Obligation, RollupKey, Suspended
from services.settlement.domain.pricing import Pricing
from services.settlement.domain.statement import EntriesTree, EntryLeaf
from services.settlement.domain.window import Window
from services.settlement.formats.entries import Unreadable, read
from services.settlement.store import own_journal
from services.settlement.store.comparing import Again
from services.settlement.store.ingest import check_against, window_for
from shared.instants import instant
from shared.verifying import Differs, shown


def count_own(connection: Connection, again: Again) -> None:
    """Settlement's own journal: chained, without a gap, and counted in the window that it names."""
    last, prev = 0, START
    for seq, window, subject, body, before, hash_, at in own_journal.entries(connection):
        name = f"own {seq}"
        if seq != last + 1 or before != prev or sha256(before + body).digest() != hash_:
            raise Differs("entry", name, "settlement's own journal does not follow from the entry before")
        form = json.loads(body)
        if (form["seq"], form["window"], form["subject"], form["at"]) != (seq, window, subject, at):
            raise Differs("entry", name, "its row says something else than what was hashed")
        leg, id_ = Leg(form["leg"]), VersionId(form["partner"], form["version"])
        key = RollupKey(leg, *sides(leg, id_.partner, form["counterparty"]), id_, form["rate_class"])
        again.roll_up(window, key, form["points"], False, form["opened_at"], subject)
        last, prev = seq, hash_


def followed_on(position: Position, page: list[FeedEntry], all_windows: list[Window], bucket: int) -> Position:
    """Where a bucket stands after a page of what was counted of it. Raises Differs."""
    if not page:
        raise Differs("entry", f"{bucket}-{position.seq + 1}", "it was counted, and the ledger does not have it")
    try:
        reached = followed(position, page)
        for edge in (window.to for window in all_windows if window.to):
            if position.seq < edge.seqs[bucket] <= reached.seq:
                entry = page[edge.seqs[bucket] - position.seq - 1]
                check_against(edge, bucket, Position(entry.seq, entry.hash))
    except BrokenFeed as broken:
        raise Differs("entry", f"{bucket}-{position.seq + 1}", str(broken)) from broken
    return reached


def price_again(
    feed: FeedEntry,
    all_windows: list[Window],
    pricing: Pricing,
    book: PriceBook,
    stored: dict[tuple[object, ...], tuple[object, ...]],
    suspended: dict[object, tuple[object, ...]],
    again: Again,
) -> None:
    """Price one entry again and strike off what the books hold for it."""
    window = window_for(feed, all_windows)
    name = f"{feed.bucket}-{feed.seq}"
    entry = _entry(feed)
    late_by = window.late_by(entry.occurred_at) if entry is not None else 0
    late = late_by > 0
    count = again.counts.setdefault((window.number, feed.bucket), [0, 0, 0])
    count[0] += 1
    count[1] += late
    waits = suspended.pop(feed.seq, None)
    waived = waits is not None and waits[-1] is True
    outcome = None if entry is None or waived else pricing.obligations(entry, late_by)
    if entry is None or outcome is None or isinstance(outcome, Suspended):
        pricing.wait_for([feed.seq])
        if waits is None or waits[:-1] != (window.number, late, feed.hash, feed.canonical):
            raise Differs("entry", name, "it has no price, and the books do not say so")
        return
    if waits is not None:
        raise Differs("entry", name, "it has a price, and the books say that it waits for one")
    for number, obligation in enumerate(outcome):
        row, expected = stored.pop((feed.seq, number), None), _expected(obligation, window, late, entry, feed)
        if row != expected:
            raise Differs("entry", name, f"the journal gives {shown(expected)}, the books hold {shown(row)}")
        key, points = obligation.key, obligation.points
        count[2] += points
        again.roll_up(window.number, key, points, late, entry.occurred_at)
        line = again.lines.get(key)
        if line is None:
            line = again.lines[key] = key_of(key.leg, key.version, book, key.counterparty, key.rate_class)
        tree = again.trees.setdefault(window.number, {}).setdefault(line, EntriesTree())
        tree.add(EntryLeaf(feed.bucket, feed.seq, points, feed.hash).leaf)


def _expected(obligation: Obligation, window: Window, late: bool, entry: Entry, feed: FeedEntry) -> tuple[object, ...]:
    """The row that an obligation must have."""
    key = obligation.key
    what = (key.leg.value, *key.version, key.counterparty, key.rate_class, key.month, obligation.lot)
    where = (window.number, late, instant(entry.occurred_at), feed.hash)
    return (*what, obligation.points, obligation.original, *where)


def _entry(feed: FeedEntry) -> Entry | None:
    try:
        return read(feed)
    except Unreadable:
        return None
