"""What a partner owes now, exact and unsettled, and how many points it may still award under its cap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.settlement.domain.terms import Terms
from shared.money import decimal_text

PLACES = 18
"""Exact amounts are whole numbers of 10**-18 of a major unit."""
UNLIMITED = 10**18
"""The highest limit that the ledger takes; more points than there will ever be."""


@dataclass(frozen=True, slots=True)
class Position:
    """In units of 10**-18 of the currency, signed: + the partner owes.

    `exact` is what entries and books say; `held` what holds on its points would make it owe; `outstanding` the part of
    its other points that its cap counts as owed already.
    """

    partner: str
    currency: str
    exact: int
    held: int = 0
    outstanding: int = 0

    @property
    def weighed(self) -> int:
        """What counts against the cap: whatever is not final, at its worst."""
        return self.exact + self.held + self.outstanding

    def major(self, amount: int) -> Decimal:
        """An amount in major units."""
        return Decimal((int(amount < 0), tuple(map(int, str(abs(amount)))), -PLACES))

    def text(self, amount: int) -> str:
        """An amount as people read it."""
        return decimal_text(self.major(amount))


def room(position: Position, cap_minor: int, exponent: int, price: Fraction) -> int:
    """Whole points that may still be awarded: position + points x price never goes beyond the cap (E14).

    `price` is in major units for each point; points that cost nothing when awarded are bounded by nothing but a
    position at its cap.
    """
    left = cap_minor * 10 ** (PLACES - exponent) - position.weighed
    if left <= 0:
        return 0
    if price == 0:
        return UNLIMITED
    return min(UNLIMITED, int(Fraction(left, 10**PLACES) / price))


def price_of_an_award(terms: Iterable[Terms], weight: Decimal) -> Fraction:
    """The most that an awarded point adds to what is owed, over all versions in force or approved."""
    highest = Fraction(0)
    for one in terms:
        rates = [one.rate_at_issuance, *(rate for _, rate in one.campaign_rates)]
        issuance = max(Fraction(rate.billionths, 10**9) for rate in rates)
        highest = max(highest, issuance + Fraction(weight) * Fraction(one.rate_at_redemption.billionths, 10**9))
    return highest
