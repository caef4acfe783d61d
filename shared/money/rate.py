"""A rate: major units of money per point, an exact decimal of at most nine places."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from shared.money.rounding import decimal_text, scaled

MOST_PLACES = 9
_TOO_LARGE = 10**18  # in units of the ninth place: what numeric(18,9) cannot hold
_PLAIN = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?")
_FINEST = -60  # beyond this a decimal is refused unseen: `1e-999999999` is a dozen bytes and a gigabyte


class NotARate(ValueError):
    """The value is not a finite decimal between 0 and 10**9 with at most nine places."""


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """Major units per point, 0 or more. Equal values are equal rates, however they were written: 0.0120 is 0.012.

    Held as a whole number of ninth places, so that multiplying int64 points is integer arithmetic and needs no
    decimal context wide enough for it.
    """

    billionths: int = field()

    def __post_init__(self) -> None:
        if type(self.billionths) is not int or not 0 <= self.billionths < _TOO_LARGE:
            raise NotARate(f"a rate is at least 0 and below 10**9, not {self.billionths!r} billionths")

    @classmethod
    def of(cls, value: Decimal | str) -> Rate:
        """The rate written as a decimal. A float is refused by type: it would already be inexact."""
        if not isinstance(value, Decimal | str):
            raise NotARate(f"a rate is a decimal or its text, not {type(value).__name__}")
        if isinstance(value, str) and not _PLAIN.fullmatch(value):
            raise NotARate(f"{value!a:.60} is not written in plain digits")
        exact = Decimal(value)
        exponent = exact.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < _FINEST or exact.adjusted() > MOST_PLACES:
            raise NotARate(f"{value!a:.60} is not a rate below 10**9")
        units, rest = scaled(exact, MOST_PLACES)
        if rest:
            raise NotARate(f"{value!a:.60} has more than {MOST_PLACES} places")
        return cls(units)

    def times(self, points: int) -> Decimal:
        """The exact price of a signed number of points, in major units."""
        return _of_billionths(points * self.billionths)

    @property
    def value(self) -> Decimal:
        """The rate as a decimal, without superfluous zeros."""
        return Decimal(str(self))

    def __str__(self) -> str:
        return decimal_text(_of_billionths(self.billionths))


def _of_billionths(amount: int) -> Decimal:
    """An exact decimal from ninth places. Built from its digits: arithmetic would round to the context's precision."""
    digits = tuple(int(digit) for digit in str(abs(amount)))
    return Decimal((int(amount < 0), digits, -MOST_PLACES))
