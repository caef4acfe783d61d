"""Rounding: once per line, cumulatively, half-even unless the contract says half-up.

Everything works on the digits of a decimal as integers. A decimal context would silently round int64 points times nine
places to 28 digits before anybody asked for it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from shared.money.rate import Rate

Rounded: TypeAlias = Callable[[Decimal, int], int]
"""An exact amount in major units and the currency's exponent to whole minor units."""


def scaled(exact: Decimal, places: int) -> tuple[int, bool]:
    """The value in units of 10**-places, floored, and whether anything was cut off."""
    floor, rest, _ = _divided(exact, places)
    return floor, rest != 0


def half_even(exact: Decimal, exponent: int) -> int:
    """An exact amount in major units as whole minor units, ties to the even neighbour."""
    floor, rest, unit = _divided(exact, exponent)
    return floor + (2 * rest > unit or (2 * rest == unit and floor % 2 == 1))


def half_up(exact: Decimal, exponent: int) -> int:
    """An exact amount in major units as whole minor units, ties away from zero."""
    floor, rest, unit = _divided(exact, exponent)
    return floor + (2 * rest > unit or (2 * rest == unit and floor >= 0))


def booked(rate: Rate, before: int, after: int, exponent: int, rounded: Rounded = half_even) -> int:
    """What a line books when its cumulative points move: R(after x rate) - R(before x rate).

    Cumulative, so that the bill is the same however windows are cut, and a full reversal ends at exactly zero.
    """
    return rounded(rate.times(after), exponent) - rounded(rate.times(before), exponent)


def major(minor: int, exponent: int) -> Decimal:
    """Minor units as an exact decimal of major units: 1204, 2 is 12.04."""
    digits = tuple(int(digit) for digit in str(abs(minor)))
    return Decimal((int(minor < 0), digits, -exponent))


def decimal_text(value: Decimal) -> str:
    """The one way a decimal is written in a document: no exponent, no superfluous zeros, zero without a sign."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _divided(exact: Decimal, places: int) -> tuple[int, int, int]:
    """The value in units of 10**-places: floor, rest, and what the rest is a part of."""
    sign, digits, exponent = exact.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{exact} is not a finite amount")
    value = int("".join(map(str, digits)) or "0") * (-1 if sign else 1)
    shift = exponent + places
    unit = int(10 ** max(0, -shift))
    floor, rest = divmod(value * int(10 ** max(0, shift)), unit)
    return floor, rest, unit
