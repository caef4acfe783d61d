"""30: an exponent changes. The table has editions, and old windows are made again with theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from services.settlement.formats.amounts import decimal_of
from shared.money import EDITIONS, ISO_4217_EDITION, currency
from tests.settlement.paper import day, terms
from tests.settlement.store.office import Office
from tests.support.databases import Databases

LATER = "2099-01-01"


@pytest.fixture
def office(databases: Databases) -> Iterator[Office]:
    one = Office(databases)
    yield one
    one.leave()


def changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a shilling has cents."""
    monkeypatch.setitem(currency.EDITIONS, LATER, {**EDITIONS[ISO_4217_EDITION], "UGX": 2})


def booked(office: Office, number: int) -> list[tuple[object, ...]]:
    return office.rows(
        "SELECT points, booked_minor FROM settlement.lines WHERE window_number = %s AND leg = 'ISSUANCE'", number
    )


def exponents(office: Office, number: int) -> set[int]:
    """As the lines of the statement say it."""
    lines = json.loads(office.statement("acorn", number))["lines"]
    return {line["currency_exponent"] for line in lines}


def test_an_old_window_is_made_again_with_the_exponents_of_its_day(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.publish("acorn", terms("45.678", currency="UGX", since=day(-1)))
    office.paper.award(1_001)
    office.closed(day(1))
    statement, lines = office.statement("acorn", 1), booked(office, 1)
    assert lines == [(1_001, 45_724)]  # 45 723.678
    office.check()

    changes(monkeypatch)
    office.check()
    office.paper.award(1_001)
    office.closed(day(2))
    office.check()
    assert (office.statement("acorn", 1), booked(office, 1)) == (statement, lines)
    assert (exponents(office, 1), exponents(office, 2)) == ({0}, {2})
    assert booked(office, 2) == [(1_001, 4_572_368)], "a shilling has cents from here on"
    assert office.rows("SELECT number, currency_edition FROM settlement.windows ORDER BY 1 LIMIT 2") == [
        (1, ISO_4217_EDITION),
        (2, LATER),
    ]


def test_whoever_changed_the_edition_of_a_closed_window_is_found(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.publish("acorn", terms("45.678", currency="UGX", since=day(-1)))
    office.paper.award(1_001)
    office.closed(day(1))
    changes(monkeypatch)
    with office.tampering() as connection:
        connection.execute("UPDATE settlement.windows SET currency_edition = %s WHERE number = 1", [LATER])
    assert "line" in str(office.verified())


@pytest.mark.parametrize(
    ("code", "minor", "text"), [("JPY", 1000, "1000"), ("EUR", 1000, "10.00"), ("KWD", 1000, "1.000")]
)
def test_a_payment_is_written_with_the_exponent_of_the_standard(code: str, minor: int, text: str) -> None:
    assert str(decimal_of(minor, code)) == text


def test_a_redenomination_is_a_new_currency_from_a_day_on_and_the_old_window_stays(office: Office) -> None:
    """A million of the old are one of the new: a version of the contract says so, nothing is converted."""
    office.publish("acorn", terms("45.678", currency="VES", since=day(-1)))
    office.publish("acorn", terms("0.000045678", currency="VED", since=day(2)))
    office.paper.award(1_001, at=day(1))
    office.closed(day(2))
    statement = office.statement("acorn", 1)
    office.paper.award(1_001, at=day(3))
    office.paper.award(1_001, at=day(1))  # late, and still in the old money
    office.closed(day(4))
    sums = "SELECT window_number::int, currency, booked_minor FROM settlement.lines ORDER BY 1, 2"
    assert office.rows(sums) == [(1, "VES", 4_572_368), (2, "VED", 5), (2, "VES", 4_572_368)]
    assert office.statement("acorn", 1) == statement
    nets = "SELECT currency, sum(net_minor)::int FROM settlement.nets GROUP BY currency ORDER BY currency"
    assert office.rows(nets) == [("VED", 0), ("VES", 0)]
    office.check()
