"""Rounding: once per line, on the exact amount, with integers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import MOST_POINTS, Rate, Rounded, booked, decimal_text, half_even, half_up, major
from tests.support.vectors import example

RATES = st.integers(0, 10**18 - 1).map(Rate)
POINTS = st.integers(-MOST_POINTS, MOST_POINTS)
EXPONENTS = st.sampled_from([0, 2, 3, 4])
ROUNDED = st.sampled_from([half_even, half_up])


@pytest.mark.parametrize(
    ("exact", "even", "up"),
    [
        ("0.005", 0, 1),
        ("0.015", 2, 2),
        ("0.025", 2, 3),
        ("-0.005", 0, -1),
        ("-0.015", -2, -2),
        ("-0.025", -2, -3),
        ("0.0250000001", 3, 3),
        ("0.0249999999", 2, 2),
        ("-0.0250000001", -3, -3),
        ("12.04", 1204, 1204),
        ("0", 0, 0),
        ("-0", 0, 0),
        ("1E+3", 100_000, 100_000),
    ],
)
def test_ties_go_to_the_even_neighbour_or_away_from_zero(exact: str, even: int, up: int) -> None:
    assert (half_even(Decimal(exact), 2), half_up(Decimal(exact), 2)) == (even, up)


@pytest.mark.parametrize(("exponent", "minor"), [(0, 1), (2, 123), (3, 1235), (4, 12345)])
def test_each_currency_has_its_own_minor_unit(exponent: int, minor: int) -> None:
    assert half_up(Decimal("1.23450"), exponent) == minor


def test_half_even_does_not_drift_and_half_up_does() -> None:
    e3 = example("E3")
    rate, then = Rate.of(e3["given"]["billing_rate"]), e3["then"]
    awards = {step["partner"]: step["points"] for step in e3["when"] if step["do"] == "award"}
    for name, rounded in (("HALF_EVEN", half_even), ("HALF_UP", half_up)):
        minor = {partner: rounded(rate.times(points), 2) for partner, points in awards.items()}
        assert minor == {partner: then[name][partner] for partner in awards}
        assert sum(minor.values()) == then[name]["sum_minor"]
    assert {partner: decimal_text(rate.times(points)) for partner, points in awards.items()} == then["exact"]


@given(RATES, POINTS, EXPONENTS)
def test_half_even_is_python_s_own_rounding_of_the_exact_fraction(rate: Rate, points: int, exponent: int) -> None:
    exact = Fraction(rate.billionths, 10**9) * points * 10**exponent
    assert half_even(rate.times(points), exponent) == round(exact)


@given(RATES, POINTS, EXPONENTS, ROUNDED)
def test_rounding_is_never_off_by_more_than_half_a_unit_and_knows_no_sign(
    rate: Rate, points: int, exponent: int, rounded: Rounded
) -> None:
    exact, minor = rate.times(points), rounded(rate.times(points), exponent)
    assert abs(Fraction(exact) * 10**exponent - minor) <= Fraction(1, 2)
    assert rounded(rate.times(-points), exponent) == -minor


@given(RATES, st.lists(st.integers(-(10**12), 10**12), max_size=20), EXPONENTS, ROUNDED)
def test_the_bill_does_not_depend_on_where_windows_are_cut(
    rate: Rate, windows: list[int], exponent: int, rounded: Rounded
) -> None:
    before = total = 0
    for points in windows:
        total += booked(rate, before, before + points, exponent, rounded)
        before += points
    assert total == rounded(rate.times(before), exponent) == booked(rate, 0, before, exponent, rounded)
    assert total + booked(rate, before, 0, exponent, rounded) == 0, "a full reversal returns to zero"


def test_the_largest_amounts_are_exact() -> None:
    rate = Rate(10**18 - 1)
    assert decimal_text(rate.times(MOST_POINTS)).replace(".", "") == str(MOST_POINTS * (10**18 - 1))
    assert half_even(rate.times(MOST_POINTS), 2) == round(Fraction(MOST_POINTS * (10**18 - 1), 10**7))
    assert half_even(Rate.of("1").times(2**53 + 1), 2) == (2**53 + 1) * 100


@pytest.mark.parametrize("exact", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_an_amount_has_no_rounding(exact: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        half_even(Decimal(exact), 2)


@given(st.integers(-(10**30), 10**30), EXPONENTS)
def test_minor_units_come_back_from_major_ones(minor: int, exponent: int) -> None:
    assert half_even(major(minor, exponent), exponent) == minor


@pytest.mark.parametrize(
    ("value", "text"),
    [("12.0400", "12.04"), ("100", "100"), ("1E+2", "100"), ("-0.000", "0"), ("0E-9", "0"), ("-1.50", "-1.5")],
)
def test_a_decimal_is_written_in_one_way(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text
