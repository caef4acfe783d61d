"""What becomes of the nets: collected, paid, carried, held, converted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import pytest

from services.settlement.domain.batch import (
    FX,
    Disposition,
    Do,
    Due,
    FxIncomplete,
    PaymentTerms,
    calculated,
    content,
    proven,
)
from services.settlement.domain.legs import OPERATOR
from services.settlement.domain.netting import Model, Pairs, Payment, SetOff
from tests.settlement.domain.batch.drawing import QUOTES, basis, drawn, made
from tests.support.vectors import example


def moved(dispositions: Iterable[Disposition]) -> list[dict[str, object]]:
    """As the vectors write payments: collections first, then payments, each by partner."""
    found = [one for one in dispositions if one.do in {Do.COLLECT, Do.PAY}]
    in_order = sorted(found, key=lambda one: (one.do.value, one.partner))
    return [{"do": one.do.value, "partner": one.partner, "amount_minor": one.amount_minor} for one in in_order]


def looked_up(known: Mapping[str, SetOff], currency: str, _: Pairs) -> SetOff:
    return known[currency]


def dues(window: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    return [(line["debtor"], line["creditor"], line["booked_minor"]) for line in window["lines"]]


def test_s3_what_is_below_the_minimum_is_carried_then_paid() -> None:
    s3 = example("S3", "settlement.json")
    terms = {name: PaymentTerms("", minor) for name, minor in s3["given"]["minimum_payment_minor"].items()}
    openings: dict[str, int] = {}
    for number, window in enumerate(s3["then"]["windows"].values(), start=1):
        calculation = made(basis(dues(window), number=number, openings=openings, terms=terms))
        ends = {one.partner: one for one in calculation.dispositions}
        for partner, net in window["net_minor"].items():
            assert ends[partner].net_minor == net if partner in ends else net == 0
        assert {name: openings.get(name, 0) for name in window["opening_minor"]} == window["opening_minor"]
        assert moved(calculation.dispositions) == window["payments"]
        openings = {one.partner: one.amount_minor for one in calculation.dispositions if one.do is Do.CARRY}
        assert openings == window["carried_minor"]
        assert calculation.clearing_minor.get("EUR", 0) == window["clearing_balance_minor"]


@pytest.mark.parametrize("id_", ["S1", "S2"])
def test_nothing_to_pay_makes_no_payment(id_: str) -> None:
    then = example(id_, "settlement.json")["then"]
    assert moved(made(basis(dues(then["windows"]["W1"]))).dispositions) == then.get("payments", [])


def test_s5_own_points_are_settled_with_nobody() -> None:
    then = example("S5", "settlement.json")["then"]
    assert moved(made(basis(dues(then["windows"]["W1"]))).dispositions) == then["payments"]


def test_collections_have_no_minimum() -> None:
    ends = made(basis([("a", "b", 3)], terms={"a": PaymentTerms("", 500)})).dispositions
    assert moved(ends)[0] == {"do": "COLLECT", "partner": "a", "amount_minor": 3}


def test_a_suspended_partner_is_held_and_nobody_else_notices() -> None:
    owed = [("a", "b", 1_000), ("c", "d", 700), ("b", "c", 50)]
    free, held = made(basis(owed)), made(basis(owed, held=["b"]))
    assert [one for one in held.dispositions if one.partner != "b"] == [
        one for one in free.dispositions if one.partner != "b"
    ]
    (waiting,) = (one for one in held.dispositions if one.partner == "b")
    assert (waiting.do, waiting.amount_minor, waiting.why) == (Do.HOLD, 950, "SUSPENDED")
    assert held.clearing_minor == {"EUR": 950}


def test_the_operators_own_net_stays_on_the_clearing_account() -> None:
    found = made(basis([("a", OPERATOR, 148_148), (OPERATOR, "b", 50_000)]))
    assert {one.partner: (one.do, one.amount_minor, one.why) for one in found.dispositions} == {
        "a": (Do.COLLECT, 148_148, ""),
        "b": (Do.PAY, 50_000, ""),
        OPERATOR: (Do.CARRY, 98_148, "OWN"),
    }
    assert found.clearing_minor == {"EUR": 98_148}


@pytest.mark.parametrize("model", [Model.BILATERAL, Model.CYCLES_ONLY])
def test_what_does_not_go_through_the_operator_is_between_partners(model: Model) -> None:
    owed = [("a", "b", 100), ("b", OPERATOR, 30), (OPERATOR, "a", 20)]
    found = made(replace(basis(owed), model=model))
    between = {Model.BILATERAL: [Payment("a", "b", 100)], Model.CYCLES_ONLY: [Payment("a", "b", 80)]}[model]
    assert list(found.between["EUR"]) == between
    expected = {
        Model.BILATERAL: {"a": (Do.PAY, 20), "b": (Do.COLLECT, 30), OPERATOR: (Do.CARRY, 10)},
        Model.CYCLES_ONLY: {"a": (Do.NONE, 0), "b": (Do.COLLECT, 10), OPERATOR: (Do.CARRY, 10)},
    }[model]
    assert {one.partner: (one.do, one.amount_minor) for one in found.dispositions} == expected


def test_another_currency_is_converted_once_and_the_fx_account_takes_the_opposite() -> None:
    terms = {"a": PaymentTerms("EUR")}
    owed = (Due(1, OPERATOR, "a", "USD", "REIMBURSEMENT", 10_001), Due(1, "a", OPERATOR, "EUR", "FEE", 100))
    given = replace(basis(terms=terms), dues=owed, fx_set="fxSets/2026-03-02", quotes=QUOTES)
    found = made(given)
    (one,) = found.conversions
    exact = Fraction(10_001) / Fraction(Decimal("1.0837"))
    assert (one.minor, one.target_minor, one.rounding) == (10_001, round(exact), exact - round(exact))
    ends = {(end.partner, end.currency): (end.do, end.amount_minor) for end in found.dispositions}
    assert ends["a", "EUR"] == (Do.PAY, round(exact) - 100)
    assert ends["a", "USD"] == (Do.NONE, 0)
    assert (ends[FX, "USD"], ends[FX, "EUR"]) == ((Do.CARRY, 10_001), (Do.CARRY, -round(exact)))
    proven(given, found)


@pytest.mark.parametrize(
    "quotes", [{}, {"USD": Decimal(2)}, {"EUR": Decimal(1)}, {"EUR": Decimal(1), "USD": Decimal(0)}]
)
def test_a_quote_that_is_missing_or_zero_calculates_nothing(quotes: dict[str, Decimal]) -> None:
    owed = (Due(1, OPERATOR, "a", "USD", "REIMBURSEMENT", 10_001),)
    with pytest.raises(FxIncomplete):
        made(replace(basis(terms={"a": PaymentTerms("EUR")}), dues=owed, quotes=quotes))


def test_yen_and_dinar_are_converted_by_their_own_exponents() -> None:
    terms = {"a": PaymentTerms("KWD"), "b": PaymentTerms("JPY")}
    owed = (Due(1, OPERATOR, "a", "JPY", "REIMBURSEMENT", 16_155), Due(1, OPERATOR, "b", "KWD", "REIMBURSEMENT", 3_333))
    found = made(replace(basis(terms=terms), dues=owed, quotes=QUOTES))
    assert [(one.partner, one.target_minor) for one in found.conversions] == [("a", 33_330), ("b", 1_616)]


def test_one_more_than_a_float_can_hold_survives() -> None:
    most = 2**53 + 1
    found = made(basis([("a", "b", most)]))
    assert moved(found.dispositions)[1]["amount_minor"] == most
    assert f"{most}" in content(basis([("a", "b", most)]), found, (), (), (), ()).decode()


def test_money_is_conserved_in_every_basis() -> None:
    """P1 and P5 on 5,000 bases with conversions, openings, minima, suspended partners and all three models."""
    models: Counter[Model] = Counter()
    converted = 0
    for number in range(5_000):
        given = drawn(number)
        found = made(given)
        proven(given, found)
        models[given.model] += 1
        converted += len(found.conversions)
        assert all(abs(one.rounding) <= Fraction(1, 2) for one in found.conversions)
    assert min(models.values()) > 1_000
    assert converted > 1_000


def test_equal_bases_have_equal_bytes_and_a_replay_needs_no_solver() -> None:
    for number in range(200):
        given = drawn(number)
        found = made(given)
        turned = replace(given, dues=given.dues[::-1], openings=given.openings[::-1])
        again = calculated(turned, partial(looked_up, found.set_offs))
        written = [content(of, one, proven(of, one), (), (), ()) for of, one in ((given, found), (turned, again))]
        assert written[0] == written[1]
