"""Deferred revenue: the part of a sale that belongs to the points given with it, and when it is earned.

A sale of goods with points is two promises; its price is shared between them by what each would cost alone. The points'
part is booked cumulatively as they are redeemed, by the newest estimate of how many ever will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Estimate(NamedTuple):
    """One year's: points expected to be redeemed at last, and redeemed up to its end."""

    expected: int
    redeemed: int


def allocated(sales: Fraction, points: int, point_value: Fraction, expected: int) -> Fraction:
    """The part of the sales, in major units, that belongs to the points. The first estimate decides for good.

    Of `points` sold `expected` will be redeemed, each worth `point_value`; raises ValueError for more than were sold.
    """
    if not 0 <= expected <= points:
        raise ValueError(f"{expected} of {points} points cannot be redeemed")
    worth = point_value * expected
    return sales * worth / (sales + worth) if worth else Fraction(0)


def recognised(part: Fraction, estimates: Sequence[Estimate], exponent: int) -> list[int]:
    """What each year books, in units of `exponent` decimals: the rounded share so far less what was booked before."""
    booked: list[int] = []
    for estimate in estimates:
        share = Fraction(min(estimate.redeemed, estimate.expected), estimate.expected)
        booked.append(rounded(part * share, exponent) - sum(booked))
    return booked


def commission(part: Fraction, passed_on: Fraction, exponent: int) -> int:
    """An agent's revenue: what it keeps of the points' part when another party supplies the reward."""
    return rounded(part - passed_on, exponent)


def rounded(amount: Fraction, exponent: int) -> int:
    """Major units as whole units of `exponent` decimals, half to even: a report may be in whole euros."""
    return round(amount * Fraction(10) ** exponent)
