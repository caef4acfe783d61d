"""Makes the books again from the ledger's journal and compares them with what is stored, down to the last byte.

Bucket by bucket: chain, prices, obligations. Then window by window: rollups, lines, nets, statements. The first
difference ends it. What was counted after it began is left for the next time: it reads up to today's cursors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

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
from services.settlement.domain.lines import LineKey, Rollup, key_of
from services.settlement.domain.obligations import Leg, Pricing, Suspended
from services.settlement.domain.refusals import LedgerMismatch
from services.settlement.domain.statement import EntryLeaf
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.store import books, windows
from services.settlement.store.comparing import (
    Again,
    check_strays,
    check_versions,
    compare_counts,
    compare_lines,
    compare_nets,
    compare_rollups,
    compare_statements,
)
from services.settlement.store.contracts import price_book, versions_known
from services.settlement.store.ingest import check_against, positions, window_for
from shared.db.sessions import Sessions, cursor_of
from shared.instants import instant
from shared.verifying import Difference, Differs, Progress, shown

Read = Callable[[int, int], list[FeedEntry]]
"""bucket, seq -> the next entries of the ledger's journal."""

_SECONDS = 3600.0
_OBLIGATIONS = """
SELECT seq, line, leg, partner, version, points, original, window_number, late, occurred_at, entry_hash
FROM settlement.obligations WHERE bucket = %s ORDER BY seq, line
"""
_SUSPENDED = """
SELECT seq, window_number, late, entry_hash, canonical FROM settlement.suspense WHERE bucket = %s ORDER BY seq
"""


@dataclass(slots=True)
class Summary:
    """What was compared without a difference."""

    entries: int = 0
    windows: int = 0
    statements: int = 0


class Verifier:
    """`read` asks the ledger; `check` raises LedgerMismatch for a checkpoint whose signature does not hold."""

    def __init__(self, sessions: Sessions, signer: books.Signer, read: Read, check: Callable[[Edge], None]) -> None:
        self._sessions = sessions
        self._signer = signer
        self._read = read
        self._check = check

    def run(self) -> Iterator[Progress | Difference | Summary]:
        """Progress again and again, then either the first difference or the summary."""
        with self._sessions.snapshot(_SECONDS) as connection:
            try:
                yield from self._run(connection)
            except Differs as difference:
                yield difference.difference

    def _run(self, connection: Connection) -> Iterator[Progress | Summary]:
        check_versions(connection)
        book = price_book(connection, versions_known(connection))
        all_windows = windows.page(connection, after=0, limit=1_000_000)
        reached = {bucket: position for bucket, (position, _) in positions(connection).items()}
        total, summary, again = sum(position.seq for position in reached.values()), Summary(), Again()
        self._check_windows(all_windows)
        check_strays(connection, reached, all_windows)
        for bucket, position in reached.items():
            for entries in self._bucket(connection, bucket, position, all_windows, book, again):
                summary.entries += entries
                yield Progress(summary.entries, total)
        compare_counts(connection, again)
        compare_rollups(connection, again)
        for window in all_windows:
            if window.state is WindowState.CLOSED:
                summary.statements += self._compare_window(connection, window, all_windows, book, again)
                summary.windows += 1
        yield summary

    def _check_windows(self, all_windows: list[Window]) -> None:
        """P2: adjacent intervals from zero, each edge signed by the ledger; only the last is open."""
        previous: Edge | None = None
        for number, window in enumerate(all_windows, start=1):
            name = f"windows/{window.number}"
            last = len(all_windows) - number
            states = {0: {WindowState.OPEN}, 1: {WindowState.CLOSING, WindowState.CLOSED}}
            if window.number != number or window.state not in states.get(last, {WindowState.CLOSED}):
                raise Differs("window", name, f"it is {window.state.value}, and {last} windows come after it")
            begins = previous.seqs if previous else ()
            if window.from_seqs != begins or window.from_checkpoint != (previous.checkpoint if previous else None):
                raise Differs("window", name, "it does not begin where the one before ends")
            if previous is not None and window.opened_at != previous.created_at:
                raise Differs("window", name, "it does not begin when the one before ends")
            if window.to is not None:
                try:
                    self._check(window.to)
                except LedgerMismatch as mismatch:
                    raise Differs("window", name, str(mismatch)) from mismatch
                if any(to < window.from_seq(bucket) for bucket, to in enumerate(window.to.seqs)):
                    raise Differs("window", name, "it ends before it begins")
            previous = window.to

    def _bucket(
        self,
        connection: Connection,
        bucket: int,
        until: Position,
        all_windows: list[Window],
        book: PriceBook,
        again: Again,
    ) -> Iterator[int]:
        cursor = cursor_of(connection)
        stored = {row[:2]: row[2:] for row in cursor.execute(_OBLIGATIONS, [bucket]).fetchall()}
        suspended = {row[0]: row[1:] for row in cursor.execute(_SUSPENDED, [bucket]).fetchall()}
        pricing, position = Pricing(book), Position()
        while position.seq < until.seq:
            page = [entry for entry in self._read(bucket, position.seq) if entry.seq <= until.seq]
            position = _followed(position, page, all_windows, bucket)
            for feed in page:
                _price(feed, all_windows, pricing, book, stored, suspended, again)
            yield len(page)
        if position.hash != until.hash:
            raise Differs("entry", f"{bucket}-{until.seq}", "the ledger holds another hash than was counted")
        if stored or suspended:
            seq = next(iter([*(key[0] for key in stored), *suspended]))
            raise Differs("entry", f"{bucket}-{seq}", "the books hold an obligation that the journal does not give")

    def _compare_window(
        self, connection: Connection, window: Window, all_windows: list[Window], book: PriceBook, again: Again
    ) -> int:
        assert window.to is not None  # noqa: S101  a CHECK of the table
        before: dict[LineKey, int] = {}
        rollups = []
        for (number, leg, partner, version), (points, items, late_items, _) in again.rollups.items():
            rollup = Rollup(Leg(leg), VersionId(partner, version), points, items, late_items)
            if number == window.number:
                rollups.append(rollup)
            elif number < window.number:
                key = key_of(rollup.leg, rollup.version, book)
                before[key] = before.get(key, 0) + points
        opening = all_windows[window.number - 2].to if window.number > 1 else None
        then = price_book(connection, window.versions_known)
        leaves = again.leaves.get(window.number, {})
        try:
            made = books.made(window, opening, window.to, rollups, before, leaves, then, self._signer)
        except KeyError as version:
            detail = f"it knew {window.versions_known} versions of contracts, and {version} is not among them"
            raise Differs("window", f"windows/{window.number}", detail) from None
        compare_lines(connection, window, made)
        compare_nets(connection, window, made)
        return compare_statements(connection, window, made)


def _followed(position: Position, page: list[FeedEntry], all_windows: list[Window], bucket: int) -> Position:
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


def _price(
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
    late = entry is not None and window.is_late(entry.occurred_at)
    count = again.counts.setdefault((window.number, feed.bucket), [0, 0])
    count[0] += 1
    count[1] += late
    outcome = pricing.obligations(entry) if entry is not None else None
    if entry is None or outcome is None or isinstance(outcome, Suspended):
        if suspended.pop(feed.seq, None) != (window.number, late, feed.hash, feed.canonical):
            raise Differs("entry", name, "it has no price, and the books do not say so")
        return
    for number, obligation in enumerate(outcome):
        leg, _, _, version = obligation.key
        row = stored.pop((feed.seq, number), None)
        facts = (leg.value, *version, obligation.points, obligation.original, window.number, late)
        expected = (*facts, instant(entry.occurred_at), feed.hash)
        if row != expected:
            raise Differs("entry", name, f"the journal gives {shown(expected)}, the books hold {shown(row)}")
        rollup = (window.number, leg.value, version.partner, version.number)
        sums = again.rollups.setdefault(rollup, [0, 0, 0, entry.occurred_at])
        sums[0] += obligation.points
        sums[1] += 1
        sums[2] += late
        sums[3] = max(sums[3], entry.occurred_at)
        line = again.leaves.setdefault(window.number, {}).setdefault(key_of(leg, version, book), [])
        line.append(EntryLeaf(feed.bucket, feed.seq, obligation.points, feed.hash))


def _entry(feed: FeedEntry) -> Entry | None:
    try:
        return read(feed)
    except Unreadable:
        return None
