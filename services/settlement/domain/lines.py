"""Lines: a window's obligations with the same sides, leg, currency, rate and rounding, rounded once, cumulatively."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from services.settlement.domain.contract import OPERATOR, PriceBook, Rounding, VersionId
from services.settlement.domain.obligations import Leg
from shared.money import Rate, booked, exponent_of


class LineKey(NamedTuple):
    """What makes two obligations one line. Two rates are two lines, never a blend."""

    leg: Leg
    partner: str
    currency: str
    rate: Rate
    rounding: Rounding

    @property
    def debtor(self) -> str:
        return self.partner if self.leg is Leg.ISSUANCE else OPERATOR

    @property
    def creditor(self) -> str:
        return OPERATOR if self.leg is Leg.ISSUANCE else self.partner

    @property
    def order(self) -> tuple[str, str, str, Rate, str]:
        """One order for everybody: by partner, leg, currency, rate."""
        return (self.partner, self.leg.value, self.currency, self.rate, self.rounding.value)


class Rollup(NamedTuple):
    """What a window's obligations of one leg and version add up to. Points are signed."""

    leg: Leg
    version: VersionId
    points: int
    items: int
    late_items: int


@dataclass(frozen=True, slots=True)
class Line:
    """`points_before` and `points_after` run over all windows; `booked_minor` is what this window rounds to."""

    key: LineKey
    points: int
    items: int
    late_items: int
    points_before: int
    booked_minor: int

    @property
    def points_after(self) -> int:
        return self.points_before + self.points

    @property
    def exact(self) -> Decimal:
        """What this window's points cost, unrounded, in major units."""
        return self.key.rate.times(self.points)


def key_of(leg: Leg, version: VersionId, book: PriceBook) -> LineKey:
    """The line that obligations of this leg and version belong to."""
    terms = book.terms(version)
    rate = terms.rate_at_issuance if leg is Leg.ISSUANCE else terms.reimbursement_rate
    return LineKey(leg, version.partner, terms.currency, rate, terms.rounding)


def lines_of(rollups: Iterable[Rollup], before: Mapping[LineKey, int], book: PriceBook) -> list[Line]:
    """The lines of a window, in order. `before` holds each line's points over all earlier windows."""
    sums: dict[LineKey, list[int]] = {}
    for rollup in rollups:
        row = sums.setdefault(key_of(rollup.leg, rollup.version, book), [0, 0, 0])
        row[0] += rollup.points
        row[1] += rollup.items
        row[2] += rollup.late_items
    return [
        _line(key, before.get(key, 0), points, items, late_items)
        for key, (points, items, late_items) in sorted(sums.items(), key=lambda item: item[0].order)
    ]


def _line(key: LineKey, before: int, points: int, items: int, late_items: int) -> Line:
    minor = booked(key.rate, before, before + points, exponent_of(key.currency), key.rounding.rounded)
    return Line(key, points, items, late_items, before, minor)
