"""Makes the books again from the ledger's journal and compares them with what is stored, down to the last byte.

Bucket by bucket: chain, prices, obligations. Then window by window: rollups, lines, nets, statements. The first
difference ends it. What was counted after it began is left for the next time: it reads up to today's cursors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import Connection

from services.settlement.domain.bill import bill
from services.settlement.domain.contract import PriceBook
from services.settlement.domain.documents import Signer, statements
from services.settlement.domain.journal import (
    FeedEntry,
    Position,
)
from services.settlement.domain.keys import Keys
from services.settlement.domain.nets import nets_of
from services.settlement.domain.prepaid import Span
from services.settlement.domain.pricing import Pricing
from services.settlement.domain.refusals import LedgerMismatch, WindowNotClosed
from services.settlement.domain.window import Edge, Window, WindowState
from services.settlement.store import books, seals, windows
from services.settlement.store.agreed import check_moves, check_versions, check_waivers
from services.settlement.store.batches.checking import check_batches
from services.settlement.store.closing import opening_edge
from services.settlement.store.comparing import (
    Again,
    check_strays,
    compare_counts,
    compare_lines,
    compare_nets,
    compare_rollups,
    compare_roots,
    compare_statements,
)
from services.settlement.store.contracts import price_book, versions_known
from services.settlement.store.ingest import positions
from services.settlement.store.repricing import count_own, followed_on, price_again
from shared.db.sessions import Sessions, cursor_of
from shared.money import edition
from shared.verifying import Difference, Differs, Progress

Read = Callable[[int, int], list[FeedEntry]]
"""bucket, seq -> the next entries of the ledger's journal."""

_SECONDS = 3600.0
_OBLIGATIONS = """
SELECT seq, line, leg, partner, version, counterparty, rate_class, month, lot, points, original, window_number, late,
    occurred_at, entry_hash
FROM settlement.obligations WHERE bucket = %s ORDER BY seq, line
"""
_SUSPENDED = """
SELECT seq, window_number, late, entry_hash, canonical, waived <> '' FROM settlement.suspense
WHERE bucket = %s ORDER BY seq
"""


@dataclass(slots=True)
class Summary:
    """What was compared without a difference."""

    entries: int = 0
    windows: int = 0
    statements: int = 0


class Verifier:
    """`read` asks the ledger; `check` raises LedgerMismatch for a checkpoint whose signature does not hold."""

    def __init__(self, sessions: Sessions, signer: Signer, read: Read, check: Callable[[Edge], None]) -> None:
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

    def window(self, connection: Connection, window: Window) -> Difference | int:
        """A closed window made again from its rollups: the first difference, or how many lines agree.

        Raises WindowNotClosed.
        """
        if not window.state.is_final or window.to is None:
            raise WindowNotClosed(window=window.name, state=window.state.value.lower())
        with edition(window.currency_edition):
            return self._window_again(connection, window, window.to)

    def _window_again(self, connection: Connection, window: Window, to: Edge) -> Difference | int:
        opening = opening_edge(connection, window)
        span = Span(opening.created_at if opening else None, to.created_at)
        then = price_book(connection, window.versions_known)
        rollups, before = books.rollups(connection, window.number), books.rollups_before(connection, window.number)
        lines = bill(rollups, before, span, then)
        try:
            compare_lines(connection, window, lines)
            compare_nets(connection, window, nets_of(lines, books.participants(to.created_at, then)))
            if broken := seals.broken(connection, window.number, self._signer):
                raise Differs("seal", window.name, broken)
        except Differs as difference:
            return difference.difference
        return len(lines)

    def _run(self, connection: Connection) -> Iterator[Progress | Summary]:
        check_versions(connection)
        book = price_book(connection, versions_known(connection))
        all_windows = windows.page(connection, after=0, limit=1_000_000)
        reached = {bucket: position for bucket, (position, _) in positions(connection).items()}
        total, summary, again = sum(position.seq for position in reached.values()), Summary(), Again()
        self._check_windows(all_windows)
        check_strays(connection, reached, all_windows)
        check_waivers(connection)
        for bucket, position in reached.items():
            for entries in self._bucket(connection, bucket, position, all_windows, book, again):
                summary.entries += entries
                yield Progress(summary.entries, total)
        count_own(connection, again)
        compare_counts(connection, again)
        compare_rollups(connection, again)
        for window in all_windows:
            if window.state.is_final:
                with edition(window.currency_edition):
                    summary.statements += self._compare_window(connection, window, all_windows, book, again)
                summary.windows += 1
        check_moves(connection, all_windows)
        for window, following in pairwise(all_windows):
            if following.own_from != window.own_to:
                detail = "it does not begin in settlement's own journal where the one before ends"
                raise Differs("window", following.name, detail)
        check_batches(connection)
        yield summary

    def _check_windows(self, all_windows: list[Window]) -> None:
        """P2: adjacent intervals from zero, each edge signed by the ledger; only the last is open."""
        previous: Edge | None = None
        for number, window in enumerate(all_windows, start=1):
            name = f"windows/{window.number}"
            last = len(all_windows) - number
            final = {WindowState.CLOSED, WindowState.SETTLED}
            states = {0: {WindowState.OPEN}, 1: {WindowState.CLOSING, *final}}
            if window.number != number or window.state not in states.get(last, final):
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
        pricing, position = Pricing(Keys(book)), Position()
        while position.seq < until.seq:
            page = [entry for entry in self._read(bucket, position.seq) if entry.seq <= until.seq]
            position = followed_on(position, page, all_windows, bucket)
            for feed in page:
                price_again(feed, all_windows, pricing, book, stored, suspended, again)
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
        opening = all_windows[window.number - 2].to if window.number > 1 else None
        then = price_book(connection, window.versions_known)
        rollups, before = again.rollups_of(window)
        roots = {key: tree.root for key, tree in again.trees.get(window.number, {}).items()}
        partners = books.participants(window.to.created_at, then)
        try:
            lines = bill(rollups, before, Span(opening.created_at if opening else None, window.to.created_at), then)
        except KeyError as version:
            detail = f"it knew {window.versions_known} versions of contracts, and {version} is not among them"
            raise Differs("window", window.name, detail) from None
        nets = nets_of(lines, partners)
        compare_lines(connection, window, lines)
        compare_roots(connection, window, roots)
        compare_nets(connection, window, nets)
        named = [partner for partner, _ in partners]
        made = dict(statements(window, opening, window.to, lines, nets, named, roots, self._signer))
        found = compare_statements(connection, window, made, nets)
        if broken := seals.broken(connection, window.number, self._signer):
            raise Differs("seal", window.name, broken)
        return found
