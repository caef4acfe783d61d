"""23: a version dated into a closed window is refused; what it would have changed becomes an adjustment."""

from __future__ import annotations

from typing import Any

import pytest

from services.settlement.domain.contract import VersionId
from services.settlement.domain.obligations import Leg, RollupKey
from services.settlement.domain.refusals import ContractVersionInClosedWindow
from services.settlement.domain.terms import Fee, FeeKind
from services.settlement.store import own_journal
from services.settlement.store.books import lines_of_window
from shared.instants import instant
from shared.money import Rate
from tests.settlement.paper import day, terms
from tests.settlement.store.office import PATIENCE, Office


def test_it_is_refused_and_the_past_is_adjusted_in_the_open_window(office: Office) -> None:
    office.publish("acorn", terms("0.012", since=day(-1)))
    office.paper.award(1000, at=day(1))
    office.closed(day(2))
    before = office.statement("acorn", 1)
    with pytest.raises(ContractVersionInClosedWindow):
        office.publish("acorn", terms("0.01", since=day(1)))
    corrected = RollupKey(Leg.ISSUANCE, "acorn", "operator", VersionId("acorn", 1))
    with office.sessions.writing(PATIENCE) as connection:
        assert own_journal.append(connection, "adjustments/1", corrected, -100, instant(day(3))) == (2, 1)
    office.closed(day(4))
    with office.sessions.reading(PATIENCE) as connection:
        (line,) = lines_of_window(connection, 2)
    assert (line.key.subject, line.points, line.booked_minor) == ("adjustments/1", -100, -120)
    assert office.statement("acorn", 1) == before, "closed bytes never change"
    office.check()


@pytest.mark.parametrize(
    "more",
    [
        {"prepaid_points": 100, "prepaid_price": "0.01"},
        {"fees": (Fee(FeeKind.MONTHLY, Rate.of("5")),)},
        {"fees": (Fee(FeeKind.MINIMUM, Rate.of("5")),)},
    ],
    ids=["pack", "monthly", "minimum"],
)
def test_what_bills_by_itself_cannot_begin_in_a_closed_window_even_where_nothing_happened(
    office: Office, more: dict[str, Any]
) -> None:
    office.closed(day(2))
    with pytest.raises(ContractVersionInClosedWindow):
        office.publish("acorn", terms(since=day(1), **more))
    office.publish("acorn", terms(since=day(3), **more))
    office.publish("birch", terms(since=day(1)))
    office.check()
