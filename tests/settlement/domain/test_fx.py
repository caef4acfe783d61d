"""Sets of rates: what cannot be a quote, what stands upside down, and how old is too old."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.domain.fx import FxQuoteInverted, FxQuoteRefused, FxSet, FxSetStale

DAY = date(2026, 3, 2)
QUOTES = st.decimals("0.000001", "100000", places=6, allow_nan=False)


def rates(base: str = "EUR", moved: tuple[str, ...] = (), **quotes: str) -> FxSet:
    whole = {base: Decimal(1)} | {currency: Decimal(quote) for currency, quote in quotes.items()}
    return FxSet("fxSets/one", DAY, base, "a test", whole, frozenset(moved))


@settings(deadline=None)
@given(before=QUOTES, change=st.decimals("-4.9", "4.9", places=3))
def test_a_usual_move_is_never_refused(before: Decimal, change: Decimal) -> None:
    now = (before * (100 + change) / 100).quantize(Decimal("0.000000000001"))
    rates(JPY=str(now)).check(rates(JPY=str(before)))


@settings(deadline=None)
@given(before=st.decimals("1.1", "100000", places=4))
def test_the_inverse_of_yesterday_is_always_noticed(before: Decimal) -> None:
    inverse = (1 / before).quantize(Decimal("0.000000000001"))
    with pytest.raises(FxQuoteInverted):
        rates(JPY=str(inverse)).check(rates(JPY=str(before)))
    rates(JPY=str(inverse), moved=("JPY",)).check(rates(JPY=str(before)))


def test_sets_with_different_bases_are_compared_in_terms_of_one() -> None:
    yesterday = rates("USD", EUR="0.9216589862", JPY="149.677")
    rates("EUR", USD="1.0850", JPY="162.40").check(yesterday)
    with pytest.raises(FxQuoteInverted):
        rates("EUR", USD="0.9216589862", JPY="162.40").check(yesterday)
    assert yesterday.in_terms_of("EUR", "JPY") == Fraction("149.677") / Fraction("0.9216589862")
    assert yesterday.in_terms_of("EUR", "CHF") is None


@pytest.mark.parametrize("quote", ["0", "-1", "1e-13", "0.0000000000001"])
def test_a_quote_is_above_zero_with_at_most_twelve_places(quote: str) -> None:
    with pytest.raises(FxQuoteRefused):
        rates(JPY=quote).check(None)


def test_the_base_is_there_at_one() -> None:
    with pytest.raises(FxQuoteRefused):
        FxSet("fxSets/one", DAY, "EUR", "a test", {"USD": Decimal("1.08")}).check(None)
    with pytest.raises(FxQuoteRefused):
        rates(EUR="1.000001").check(None)


@pytest.mark.parametrize(("days", "fresh"), [(-1, False), (0, True), (5, True), (6, False)])
def test_a_set_prices_its_own_day_and_a_few_after_it(days: int, *, fresh: bool) -> None:
    on = DAY + timedelta(days=days)
    if fresh:
        rates().check_fresh(on, 5)
    else:
        with pytest.raises(FxSetStale):
            rates().check_fresh(on, 5)
