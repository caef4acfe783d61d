"""Whatever settlement books can be checked offline, for every leg, rounding, tax and fee; nothing else can."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from coalition.statements.lines import NotVerified, check_lines, check_nets
from coalition.statements.verify import verify
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.documents import statements
from services.settlement.domain.legs import Leg
from services.settlement.domain.lines import Line, LineKey, booked
from services.settlement.domain.nets import nets_of
from services.settlement.domain.terms import Rounding
from services.settlement.domain.window import Window, WindowState
from shared.canonical import canonical
from shared.money import Rate
from tests.settlement.paper import Journal, day
from tests.settlement.reckoning import PUBLIC_KEY, SIGNER

_PARTNERS = ("alpha", "beta", "gamma")
_TAXES = ("", "TAXABLE_SERVICE:DE:0.2", "TAXABLE_SERVICE:CH:0.081", "OUT_OF_SCOPE:US:0")
rates = st.integers(0, 10**10).map(lambda billionths: Rate(billionths))
small = st.integers(-(10**6), 10**6)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    leg = draw(st.sampled_from(Leg))
    partner = draw(st.sampled_from(_PARTNERS))
    others = [one for one in _PARTNERS if one != partner] if leg is Leg.REDEMPTION else []
    key = LineKey(
        leg,
        partner,
        draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        draw(rates),
        draw(st.sampled_from(Rounding)),
        draw(st.sampled_from(["operator", *others])),
        draw(st.sampled_from(_TAXES)),
        draw(st.sampled_from(["", "adjustments/7", "AMOUNT adjustments/8", "PERCENT on a line"])),
    )
    return Line(key, draw(small), draw(st.integers(1, 9)), draw(st.integers(0, 1)), draw(small), 0)


def documents(found: list[Line]) -> dict[str, bytes]:
    """The signed statements over these lines."""
    once = {line.key: line for line in found}
    made = booked(once.values())
    nets = nets_of(made, [])
    edge = Journal().checkpoint(day(3))
    window = Window(1, WindowState.CLOSED, 0, None, (), edge)
    return dict(statements(window, None, edge, made, nets, [], {}, SIGNER))


@given(st.lists(lines(), min_size=1, max_size=12))
def test_every_statement_that_settlement_can_write_verifies(found: list[Line]) -> None:
    for partner, content in documents(found).items():
        assert verify(content, PUBLIC_KEY).partner == partner


def example() -> dict[str, Any]:
    """A document with a fee, taxes, an own point, a direct line and largest remainder."""
    largest = Rounding.LARGEST_REMAINDER_HALF_EVEN
    rate = Rate.of("0.0083")
    found = [
        Line(LineKey(Leg.ISSUANCE, "alpha", "EUR", rate, largest, tax="TAXABLE_SERVICE:DE:0.2"), 123, 1, 0, 0, 0),
        Line(LineKey(Leg.ISSUANCE, "alpha", "EUR", Rate.of("0.0101"), largest), 457, 1, 0, 0, 0),
        Line(LineKey(Leg.REDEMPTION, "beta", "EUR", rate, largest, "alpha"), 999, 1, 0, 0, 0),
        Line(
            LineKey(Leg.FEE, "alpha", "EUR", rate, Rounding.CUMULATIVE_HALF_UP, subject="PERCENT on it"),
            999,
            1,
            0,
            0,
            0,
        ),
    ]
    document: dict[str, Any] = json.loads(documents(found)["alpha"])
    return document


def check(document: dict[str, Any]) -> None:
    check_lines(document["lines"], document["partner"])
    check_nets(document["nets"], document["lines"], document["partner"])


CHANGES: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("its tax is", lambda it: it["lines"][-1].update(tax_minor=99, tax="TAXABLE_SERVICE:DE:0.2")),
    ("its tax is", lambda it: it["lines"][0].update(tax_minor=1)),
    ("fit its leg", lambda it: it["lines"][0].update(leg="GIFT")),
    ("fit its leg", lambda it: it["lines"][0].update(debtor="operator")),
    ("fit its leg", lambda it: it["lines"][0].update(debtor="gamma", creditor="operator")),
    ("cannot say", lambda it: it["lines"][0].update(note="trust me")),
    ("nor one more", lambda it: _of(it, "REDEMPTION").update(booked_minor=_of(it, "REDEMPTION")["booked_minor"] + 2)),
    ("book .* together", lambda it: _shift(it)),
    ("its fees or its tax", lambda it: it["nets"][0].update(fees_minor=0)),
    ("same thing", lambda it: it["lines"].append(dict(it["lines"][0]))),
]


@pytest.mark.parametrize(("why", "change"), CHANGES)
def test_what_settlement_cannot_have_booked_is_refused(why: str, change: Callable[[dict[str, Any]], object]) -> None:
    document = example()
    check(document)
    change(document)
    with pytest.raises(NotVerified, match=why):
        check(document)


def test_a_line_says_nothing_that_its_contract_does_not_use() -> None:
    document = example()
    assert all("tax" not in line for line in document["lines"] if line["leg"] == "REDEMPTION")
    assert canonical(document)


def _of(document: dict[str, Any], leg: str) -> dict[str, Any]:
    return next(line for line in document["lines"] if line["leg"] == leg)


def _shift(document: dict[str, Any]) -> None:
    """The other of the two units that a line alone could book: then the total is wrong."""
    line = next(one for one in document["lines"] if one["leg"] == "ISSUANCE" and "tax" not in one)
    floor = int(Decimal(line["exact"]) * 100)
    line["booked_minor"] = floor if line["booked_minor"] != floor else floor + 1
