"""17: late entries. Up to the limit: the open window, LATE, the version of their day; beyond it: suspense."""

from __future__ import annotations

from services.settlement.domain.window import WindowState
from tests.settlement.paper import day, terms
from tests.settlement.store.office import Office

ROLLUPS = "SELECT window_number, version, points::int, late_items::int FROM settlement.all_rollups ORDER BY 1, 2"

LINES = "SELECT late_items::int, booked_minor FROM settlement.lines WHERE window_number = 2 ORDER BY rate"


def test_a_late_entry_counts_in_the_open_window_at_the_price_of_its_day(office: Office) -> None:
    office.publish("acorn", terms("0.01", since=day(-9), late_limit_days=5))
    office.publish("acorn", terms("0.02", since=day(2), late_limit_days=5))
    office.closed(day(3))
    office.paper.award(100, at=day(1))
    office.paper.award(10, at=day(4))
    office.closed(day(6))
    assert office.rows(ROLLUPS) == [(2, 1, 100, 1), (2, 2, 10, 0)]
    assert office.counts(2) == (2, 1)
    assert office.rows(LINES) == [(1, 100), (0, 20)], "each at its own rate"
    office.check()


def test_what_comes_later_than_agreed_waits_until_two_people_let_the_window_go(office: Office) -> None:
    office.publish("acorn", terms(since=day(-9), late_limit_days=2))
    office.closed(day(5))
    award = office.paper.award(100, at=day(2.5))
    office.paper.reverse(award, 30, at=day(6))
    office.paper.award(7, at=day(3.5))
    edge = office.paper.checkpoint(day(7))
    waits = office.close(2, edge)
    assert waits is not None
    assert waits.waits_for == "SUSPENSE"
    assert office.rows("SELECT seq, reason FROM settlement.suspense ORDER BY 1") == [
        (1, "TOO_LATE"),
        (2, "UNKNOWN_ORIGINAL"),
    ]
    assert office.resolve() == 0, "no contract makes it come earlier"
    office.waive(2)
    assert office.close(2, edge) is None
    assert office.window(2).state is WindowState.CLOSED
    assert office.rows(ROLLUPS) == [(2, 1, 7, 1)]
    office.check()
