"""A rate is an exact decimal of at most nine places, however it was written."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import MOST_POINTS, NotARate, Rate


@pytest.mark.parametrize("text", ["0.012", "0.0120", "00.012", "+0.012", "0.012000000000000000"])
def test_equal_values_are_equal_rates(text: str) -> None:
    assert Rate.of(text) == Rate.of(Decimal("0.012")) == Rate(12_000_000)
    assert str(Rate.of(text)) == "0.012"
    assert Rate.of(text).value == Decimal("0.012")


@pytest.mark.parametrize("text", ["0", "0.000000001", "999999999.999999999", "1", "-0"])
def test_the_edges_are_rates(text: str) -> None:
    assert Rate.of(text).value == Decimal(text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "1,2",
        "0,012",
        "abc",
        "1e-2",
        "1E2",
        "NaN",
        "Infinity",
        "-0.012",
        "0.0000000001",
        "1000000000",
        "0.01 ",
        "0_0",
        "٠.١",
        "0.012\n",
        "0.01\x00",
        "1." + "0" * 31,
        "9" * 5_000,
        "0." + "1" * 5_000,
        "0x10",
        "--1",
    ],
)
def test_what_is_not_a_rate_is_refused(value: str) -> None:
    with pytest.raises(NotARate):
        Rate.of(value)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "-Infinity", "1e-999999999", "1e999999", "0e-999999999", "-0.1"])
def test_a_decimal_that_is_no_rate_is_refused_at_once(value: str) -> None:
    began = time.thread_time()  # our own work: a busy machine makes no difference
    with pytest.raises(NotARate):
        Rate.of(Decimal(value))
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("value", [0.012, 1, True, None, b"0.012"])
def test_only_decimals_and_their_texts_are_rates(value: object) -> None:
    with pytest.raises(NotARate):
        Rate.of(value)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("billionths", [-1, 10**18, 0.5, True])
def test_a_rate_cannot_be_made_past_the_rule(billionths: int) -> None:
    with pytest.raises(NotARate):
        Rate(billionths)


@given(st.integers(0, 10**18 - 1), st.integers(-MOST_POINTS, MOST_POINTS))
def test_a_price_is_exact(billionths: int, points: int) -> None:
    sign, digits, exponent = Rate(billionths).times(points).as_tuple()
    value = int("".join(map(str, digits))) * (-1 if sign else 1)
    assert (value, exponent) == (billionths * points, -9)


@given(st.integers(0, 10**18 - 1))
def test_a_rate_survives_being_written(billionths: int) -> None:
    rate = Rate(billionths)
    assert Rate.of(str(rate)) == Rate.of(rate.value) == rate
