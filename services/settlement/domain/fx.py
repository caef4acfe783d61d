"""Rates of exchange: a dated set, immutable once approved, its source named, all quotes against one base.

A quote says how many units of its currency one unit of the base buys. What a set is converted with: `batch.conversion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.canonical import Canonical
from shared.money import UnknownCurrency, decimal_text, exponent_of
from shared.refusal import Kind, Refusal

MOST_PLACES: Final = 12
_ONE: Final = Decimal(1)
_USUAL_MOVE: Final = Fraction(1, 20)
"""Between two sets; what moved less cannot be told from its own inverse, and would cost less than it."""


class FxQuoteRefused(Refusal):
    """A quote that cannot be one."""

    kind = Kind.MALFORMED
    message = "The quote of {currency} is {quote}: {detail}."
    remedy = "Send how many units of the currency one unit of the base buys, a decimal above 0 with at most 12 places."


class FxQuoteInverted(Refusal):
    """A quote that fits the set before it only upside down."""

    kind = Kind.NOT_NOW
    message = "The quote of {currency} is {quote}, was {before} in {earlier}: it looks as if it were upside down."
    remedy = "Turn it round, or name the currency in `moved` when it really moved that far."


class FxSetStale(Refusal):
    """What was quoted too long ago, or is not of yet, prices nothing."""

    kind = Kind.NOT_NOW
    message = "{fx_set} is of {day}: that is not within {most_days} days before {on}."
    remedy = "Load a set of that day, then calculate again."


@dataclass(frozen=True, slots=True)
class FxSet:
    """One set. `quotes` has the base too, at 1; `moved` are currencies of which the loader says: this is no slip."""

    name: str
    day: date
    base: str
    source: str
    quotes: Mapping[str, Decimal]
    moved: frozenset[str] = frozenset()

    def check(self, earlier: FxSet | None) -> None:
        """Raises FxQuoteRefused and FxQuoteInverted."""
        for currency, quote in self.quotes.items():
            _check(currency, quote, is_base=currency == self.base)
        if self.base not in self.quotes:
            raise FxQuoteRefused(
                field="quotes", currency=self.base, quote="not there", detail="the base has the quote 1"
            )
        if earlier is None:
            return
        for currency in sorted(self.quotes.keys() - self.moved):
            if (before := earlier.in_terms_of(self.base, currency)) and _upside_down(self.quotes[currency], before):
                raise FxQuoteInverted(
                    currency=currency,
                    quote=decimal_text(self.quotes[currency]),
                    before=str(before),
                    earlier=earlier.name,
                )

    def check_fresh(self, on: date, most_days: int) -> None:
        """Raises FxSetStale unless it is of that day or of a few days before."""
        if not 0 <= (on - self.day).days <= most_days:
            raise FxSetStale(fx_set=self.name, day=self.day, on=on, most_days=most_days)

    def in_terms_of(self, base: str, currency: str) -> Fraction | None:
        """The exact quote against another base; None where one of the two is not quoted."""
        if base not in self.quotes or currency not in self.quotes:
            return None
        return Fraction(self.quotes[currency]) / Fraction(self.quotes[base])

    def content(self) -> Canonical:
        """What is approved."""
        return {
            "day": self.day.isoformat(),
            "base": self.base,
            "source": self.source,
            "quotes": {currency: decimal_text(quote) for currency, quote in self.quotes.items()},
            "moved": sorted(self.moved),
        }


def _check(currency: str, quote: Decimal, *, is_base: bool) -> None:
    def refused(detail: str) -> FxQuoteRefused:
        return FxQuoteRefused(field="quotes", currency=currency, quote=decimal_text(quote), detail=detail)

    try:
        exponent_of(currency)
    except UnknownCurrency:
        raise refused("this is no currency of ISO 4217") from None
    places = quote.as_tuple().exponent
    if quote <= 0:
        raise refused("nothing is worth nothing, or less")
    if not isinstance(places, int) or places < -MOST_PLACES:
        raise refused("it has more than 12 places")
    if is_base and quote != _ONE:
        raise refused("the base has the quote 1")


def _upside_down(quote: Decimal, before: Fraction) -> bool:
    """Whether it moved far, and its inverse would have moved less."""
    now = Fraction(quote)
    moved, inverse_moved = abs(now / before - 1), abs(now * before - 1)
    return moved > _USUAL_MOVE and inverse_moved < moved
