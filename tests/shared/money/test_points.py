"""Points are positive whole numbers, and currencies have the decimals of ISO 4217."""

from __future__ import annotations

import pytest

from shared.money import MOST_POINTS, NotPoints, Points, UnknownCurrency, exponent_of


@pytest.mark.parametrize("value", [1, 2, MOST_POINTS])
def test_an_amount_of_points_is_an_int64(value: int) -> None:
    assert Points(value) == value
    assert Points(Points(value)) == value


@pytest.mark.parametrize("value", [0, -5, MOST_POINTS + 1, True, 1.0, "1", None])
def test_nothing_else_is(value: int) -> None:
    with pytest.raises(NotPoints):
        Points(value)


def test_sums_are_plain_integers_again() -> None:
    assert type(Points(2) - Points(2)) is int
    assert Points(MOST_POINTS) + 1 == 2**63


@pytest.mark.parametrize(
    ("currency", "exponent"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("HUF", 2), ("ISK", 0)]
)
def test_a_currency_has_the_decimals_of_the_standard(currency: str, exponent: int) -> None:
    assert exponent_of(currency) == exponent


@pytest.mark.parametrize("currency", ["", "usd", "XXX", "US", "USD\n", "USDT"])
def test_what_is_no_currency_has_none(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        exponent_of(currency)
