"""What must stand against points outstanding, and what an issuer that leaves still owes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.reserve import reserve, tail_minor
from services.settlement.domain.terms import Timing
from shared.money import Rate, exponent_of, major
from tests.support.vectors import example


def test_e11_the_reserve_follows_the_estimate_and_the_ratio_raises_the_alarm() -> None:
    given_, then = example("E11")["given"], example("E11")["then"]
    rate = Rate.of(given_["reimbursement_rate"])
    points, currency = given_["outstanding_points"], given_["currency"]
    assert exponent_of(currency) == given_["currency_exponent"]
    first, funded, second = example("E11")["when"]
    assert [first["urr"], second["urr"]] == given_["urr"]
    assert funded["do"] == "fund_to_required"
    held = reserve(points, rate, Decimal(first["urr"]), 0, currency).required_minor
    assert held == then["held_minor"]
    before, after = (reserve(points, rate, Decimal(step["urr"]), held, currency) for step in (first, second))
    assert before.full_cover_minor == after.full_cover_minor == then["full_cover_minor"]
    assert [before.required_minor, after.required_minor] == then["required_minor"]
    assert (before.top_up_minor, after.top_up_minor) == (0, then["top_up_minor"])
    assert after.funding_ratio == Fraction(then["funding_ratio"])
    assert not before.alarms_below(Fraction(given_["alert_below_ratio"]))
    assert after.alarms_below(Fraction(given_["alert_below_ratio"])) is then["alert"]


def test_e1_the_margin_is_explained_to_the_last_fraction_by_the_rounding_account() -> None:
    given_, then = example("E1")["given"], example("E1")["then"]
    exponent, totals, rounding = given_["currency_exponent"], then["totals"], then["rounding_account"]
    billing, reimbursement = Rate.of(given_["billing_rate"]), Rate.of(given_["reimbursement_rate"])
    found = reserve(totals["outstanding_points"], reimbursement, Decimal(given_["urr"]), 0, given_["currency"])
    assert found.required_minor == then["reserve"]["booked_minor"]
    exact = {
        "billing": billing.times(totals["awarded_points"]),
        "reimbursement": -reimbursement.times(totals["redeemed_points"]),
        "reserve": -reimbursement.times(totals["outstanding_points"]),
    }
    assert -exact["reserve"] == Decimal(then["reserve"]["exact"])
    margin = sum(exact.values(), Decimal(0))
    assert margin == Decimal(then["margin"]["exact"])
    assert totals["operator_cash_minor"] - found.required_minor == then["margin"]["booked_minor"]
    booked = {
        "billing": major(totals["billed_minor"], exponent),
        "reimbursement": -major(totals["reimbursed_minor"], exponent),
        "reserve": -major(found.required_minor, exponent),
    }
    kept = {f"{name}_exact": booked[name] - exact[name] for name in exact}
    total = sum(kept.values(), Decimal(0))
    assert {**kept, "total_exact": total} == {name: Decimal(value) for name, value in rounding.items()}
    books = {name: Decimal(value) for name, value in then["books_exact"].items()}
    assert books["partners_net"] == major(totals["partners_net_minor"], exponent)
    assert (books["margin"], books["rounding"], books["reserve"]) == (margin, total, -booked["reserve"])
    assert sum(value for name, value in books.items() if name != "sum") == books["sum"] == 0


def test_e1_full_cover_is_what_all_outstanding_points_would_cost() -> None:
    assert reserve(67_803, Rate.of("0.009"), Decimal(1), 0, "EUR").required_minor == 61_023


@pytest.mark.parametrize("timing", [Timing.AT_ISSUANCE, Timing.AT_REDEMPTION])
def test_e18_who_paid_when_awarding_owes_no_tail(timing: Timing) -> None:
    given_, then = example("E18")["given"], example("E18")["then"]
    assert exponent_of(given_["currency"]) == given_["currency_exponent"]
    tail = tail_minor(
        timing,
        given_["outstanding_points"],
        Rate.of(given_["reimbursement_rate"]),
        Decimal(given_["urr"]),
        given_["currency"],
    )
    assert tail == then[timing.value]["tail_minor"]


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**9))
def test_the_largest_numbers_keep_all_their_digits(outstanding: int, urr: int) -> None:
    found = reserve(outstanding, Rate.of("999.999999999"), Decimal(urr).scaleb(-9), 0, "EUR")
    exact = Fraction(outstanding) * Fraction(999_999_999_999, 10**9) * Fraction(urr, 10**9) * 100
    assert abs(found.required_minor - exact) <= Fraction(1, 2)


def test_e7_reserve_margin_and_what_is_withheld_follow_from_the_points() -> None:
    given_, totals = example("E7a")["given"], example("E7a")["then"]["totals"]
    rate, currency = Rate.of(given_["reimbursement_rate"]), given_["currency"]
    found = reserve(totals["outstanding_points"], rate, Decimal(1), 0, currency)
    assert found.required_minor == totals["reserve_minor"]
    billed = totals["A_net_billed_minor"] + totals["C_billed_minor"]
    assert billed - totals["B_reimbursed_minor"] - found.required_minor == totals["margin_minor"]
    *_, withheld = example("E7b")["then"]["steps"]
    worth = Rate.of(example("E7b")["given"]["face_value"]).times(withheld["withheld_points"])
    assert worth == major(withheld["withheld_minor"], given_["currency_exponent"])


def test_nothing_outstanding_needs_nothing_and_has_no_ratio() -> None:
    found = reserve(0, Rate.of("0.009"), Decimal("0.85"), 0, "EUR")
    assert (found.required_minor, found.top_up_minor, found.funding_ratio) == (0, 0, None)
    assert not found.alarms_below(Fraction(1))


def test_a_share_is_no_more_than_everything() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        reserve(1, Rate.of("0.009"), Decimal("1.01"), 0, "EUR")
