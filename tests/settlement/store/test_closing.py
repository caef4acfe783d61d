"""Closing a window: steps that may be repeated after a crash anywhere, and the same bytes in the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from services.settlement.domain.contract import PriceBook
from services.settlement.domain.refusals import (
    EarlierWindowClosing,
    RequestIdReused,
    WindowClosedByAnother,
    WindowNotFound,
    WindowNotOpen,
)
from services.settlement.domain.window import WindowState
from services.settlement.store.closing import Waits
from services.settlement.store.contracts import price_book
from services.settlement.store.ingest import start_again
from shared.db.sessions import Sessions
from shared.instants import instant
from shared.verifying import Difference
from tests.settlement.paper import day, terms
from tests.settlement.reckoning import settled
from tests.settlement.store.office import PATIENCE, Office
from tests.support.together import at_once


def begun(office: Office) -> None:
    """Two partners and a first closed window."""
    office.publish("acorn", terms(since=day(-1)))
    office.publish("birch", terms("0.02", "0.01", since=day(-1)))
    office.paper.award(1234)
    office.paper.redeem(57, "birch", bucket=1)
    office.closed(day(1))


def second_window(office: Office) -> None:
    """More for a second one, and something beyond its edge."""
    begun(office)
    office.paper.award(125, at=day(2))
    office.paper.redeem(250, "birch", bucket=1, at=day(0))


class Crash(Exception):
    """The process is gone."""


class MortalSessions(Sessions):
    """Sessions of a process that dies at its nth writing transaction: just before the commit, or just after."""

    def __init__(self, office: Office, dies_at: int, *, after_commit: bool) -> None:
        super().__init__(office.engine)
        self._left, self._after_commit = dies_at, after_commit

    @contextmanager
    def writing(self, within: float) -> Iterator[Connection]:
        self._left -= 1
        with super().writing(within) as connection:
            yield connection
            if not self._left and not self._after_commit:
                raise Crash
        if not self._left:
            raise Crash


def whole_closing(office: Office) -> None:
    """The whole closing of the second window, as a process does that knows nothing: page by page, step by step."""
    office.ask(2)
    if office.closing.asked() is not None:
        office.paper.checkpoints = 1  # TakeCheckpoint answers the same request with the same checkpoint
        office.closing.fix_edge(2, office.paper.checkpoint(day(3)))
    for bucket in range(2):
        for entry in [entry for entry in office.unread() if entry.bucket == bucket]:
            office.take_in([entry])
    assert office.closing.finish(instant(day(4))) is None


def statements_of(office: Office) -> list[tuple[object, ...]]:
    return office.rows("SELECT window_number, partner, document FROM settlement.statements ORDER BY 1, 2")


@pytest.mark.parametrize("after_commit", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("transaction", range(1, 6))
def test_a_crash_at_any_transaction_changes_no_byte(
    offices: Callable[[], Office], transaction: int, after_commit: bool
) -> None:
    undisturbed, office = offices(), offices()
    for one in (undisturbed, office):
        second_window(one)
    whole_closing(undisturbed)
    office.begin_again(MortalSessions(office, transaction, after_commit=after_commit))
    with pytest.raises(Crash):
        whole_closing(office)
    office.begin_again()
    whole_closing(office)
    assert statements_of(office) == statements_of(undisturbed)
    assert office.check() == undisturbed.check()


def test_every_prefix_of_the_steps_may_be_followed_by_all_of_them(offices: Callable[[], Office]) -> None:
    documents = []
    for steps in range(5):
        office = offices()
        second_window(office)
        edge = office.paper.checkpoint(day(3))
        if steps > 0:
            office.ask(2)
        if steps > 1:
            office.closing.fix_edge(2, edge)
        if steps > 2:
            office.take_in(office.unread()[:1])
        if steps > 3:
            office.take_in()
        office.begin_again()
        assert office.close(2, edge, day(4)) is None
        assert office.close(2, edge, day(5)) is None, "closed stays closed"
        documents.append(statements_of(office))
        office.check()
    assert all(one == documents[0] for one in documents)


def test_the_books_are_those_that_the_rules_give_on_paper(office: Office) -> None:
    begun(office)
    first = office.window(1).to
    office.paper.award(125, at=day(2))
    edge = office.paper.checkpoint(day(3))
    assert office.close(2, edge, day(4)) is None
    with office.sessions.reading(PATIENCE) as connection:
        prices: PriceBook = price_book(connection, 2)
    assert first is not None
    for number, books in enumerate(settled(office.paper, prices, [first, edge]), start=1):
        for partner, document in books.statements.items():
            assert office.statement(partner, number) == document
        assert office.window(number).statements_root == books.statements_root


def test_what_is_beyond_the_edge_belongs_to_the_next_window(office: Office) -> None:
    begun(office)
    office.paper.award(1, at=day(1))
    edge = office.paper.checkpoint(day(3))
    office.paper.award(2, at=day(1))
    office.paper.redeem(3, bucket=1, at=day(4))
    assert office.close(2, edge) is None
    assert (office.counts(2), office.counts(3)) == ((1, 0), (2, 1))
    third = office.window("open")
    assert (third.number, third.from_checkpoint, third.opened_at) == (3, edge.checkpoint, day(3))
    assert third.from_seqs == edge.seqs
    office.check()


def test_an_empty_window_closes_and_so_does_one_without_partners(office: Office) -> None:
    office.closed(day(1))
    office.closed(day(2))
    office.publish("acorn", terms(since=day(0)))
    office.closed(day(3))
    assert office.window(3).state is WindowState.CLOSED
    assert json.loads(office.statement("acorn", 3))["nets"] == [
        {"billed_minor": 0, "currency": "EUR", "net_minor": 0, "reimbursed_minor": 0}
    ]
    assert office.check().windows == 3


def test_it_waits_until_everything_up_to_the_edge_is_counted(office: Office) -> None:
    begun(office)
    office.paper.award(1, at=day(2))
    edge = office.paper.checkpoint(day(3))
    office.ask(2)
    office.closing.fix_edge(2, edge)
    assert office.closing.finish(instant(day(3))) == Waits("INGEST", "bucket 0 is read up to 1 of 2")
    office.take_in()
    assert office.closing.finish(instant(day(3))) is None
    assert office.closing.finish(instant(day(3))) is None
    assert office.window(2).closed_at == day(3)


def test_between_the_wish_and_the_edge_nothing_is_counted(office: Office) -> None:
    begun(office)
    office.paper.award(1, at=day(2))
    office.ask(2)
    assert office.take_in() == 0
    office.closing.fix_edge(2, office.paper.checkpoint(day(3)))
    assert office.take_in() == 1


def test_a_checkpoint_that_holds_another_hash_than_was_read_keeps_the_window_open(office: Office) -> None:
    begun(office)
    office.paper.award(1, at=day(2))
    office.take_in()
    true = office.paper.buckets[0]
    office.paper.buckets[0] = [*true[:-1], true[-1]._replace(hash=b"\x01" * 32)]
    edge = office.paper.checkpoint(day(3))
    office.paper.buckets[0] = true
    waits = office.close(2, edge)
    assert waits is not None
    assert waits.waits_for == "LEDGER_MISMATCH"
    assert waits.detail == "checkpoint 2 holds another hash for entry 0-2"
    assert office.reached()[0] == (2, waits.detail)
    with office.sessions.writing(PATIENCE) as connection:
        start_again(connection)  # as after a restart, and it is found again
    assert office.closing.finish(instant(day(9))) == waits
    office.paper.award(1, at=day(4))
    assert office.take_in() == 0
    assert office.reached()[0] == (2, waits.detail)


def test_a_checkpoint_that_names_another_entry_than_comes_stops_its_bucket(office: Office) -> None:
    begun(office)
    office.paper.award(1, at=day(2))
    true = office.paper.buckets[0]
    office.paper.buckets[0] = [*true[:-1], true[-1]._replace(hash=b"\x01" * 32)]
    edge = office.paper.checkpoint(day(3))
    office.paper.buckets[0] = true
    waits = office.close(2, edge)
    assert waits == Waits("LEDGER_MISMATCH", "checkpoint 2 holds another hash for entry 0-2")
    assert office.reached()[0][0] == 1


def test_a_checkpoint_that_is_behind_what_was_counted_closes_nothing(office: Office) -> None:
    begun(office)
    edge = office.paper.checkpoint(day(3))
    office.paper.award(1, at=day(2))
    office.take_in()
    waits = office.close(2, edge)
    assert waits == Waits("LEDGER_MISMATCH", "bucket 0 has 0 entries, 1 counted")


def test_a_wish_may_be_repeated_and_nothing_else_may_be_wished(office: Office) -> None:
    begun(office)
    one, other = uuid4(), uuid4()
    assert not office.ask(2, one)
    assert office.ask(2, one)
    with pytest.raises(WindowClosedByAnother, match="closing already"):
        office.ask(2, other)
    with pytest.raises(WindowNotOpen, match="closed"):
        office.ask(1, other)
    with pytest.raises(RequestIdReused, match="windows/2"):
        office.ask(1, one)
    with pytest.raises(WindowNotFound):
        office.ask(3, other)
    with pytest.raises(WindowNotFound):
        office.ask(0, other)


def test_the_next_window_waits_until_the_one_before_is_closed(office: Office) -> None:
    """Two edges in flight once stopped the worker for good: neither window could go on."""
    begun(office)
    office.paper.award(1, "cedar", at=day(2))
    assert office.close(2, office.paper.checkpoint(day(3))) is not None, "cedar has no contract"
    with pytest.raises(EarlierWindowClosing, match="windows/2"):
        office.ask(3)
    office.publish("cedar", terms(since=day(1)))
    office.resolve()
    assert office.closing.finish(instant(day(4))) is None
    assert not office.ask(3)


def test_only_one_of_two_who_close_at_once_is_first(office: Office) -> None:
    begun(office)
    ids = [uuid4() for _ in range(4)]

    def asks(number: int) -> bool:
        try:
            return office.ask(2, ids[number])
        except (WindowNotOpen, WindowClosedByAnother):
            return True

    assert sorted(at_once([lambda n=n: asks(n) for n in range(4)])) == [False, True, True, True]  # type: ignore[misc]


def test_there_is_one_open_and_one_closing_window_at_most(office: Office) -> None:
    begun(office)
    again = (
        "INSERT INTO settlement.windows (number, state, opened_at, from_seqs) VALUES (9, 'OPEN', '2026-01-01', '{}')"
    )
    with office.tampering() as connection, pytest.raises(Exception, match="windows_only_one_open"):
        connection.execute(again)
    half = "UPDATE settlement.windows SET state = 'CLOSED' WHERE number = 2"
    with office.tampering() as connection, pytest.raises(Exception, match="check constraint"):
        connection.execute(half)


def test_a_closed_window_does_not_change_when_terms_are_published_later(office: Office) -> None:
    begun(office)
    before = statements_of(office)
    office.publish("acorn", terms("0.9", since=day(2)))
    office.publish("cedar", terms(since=day(-9)))
    assert statements_of(office) == before
    assert not isinstance(office.verified(), Difference)
