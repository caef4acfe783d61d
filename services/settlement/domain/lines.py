"""Lines: a window's obligations with the same sides, leg, currency, rate, tax class and rounding, rounded once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from services.settlement.domain.contract import PriceBook, VersionId
from services.settlement.domain.legs import OPERATOR, Leg, sides
from services.settlement.domain.spreading import spread
from services.settlement.domain.tax import tax_on
from services.settlement.domain.terms import FeeKind, Payer, Rounding
from shared.money import Rate, exponent_of

_PLACES = 18
MONEY = ("PERCENT ", "MINIMUM ", "AMOUNT ")
"""What the subject of a line begins with that counts minor units instead of points."""
AMOUNT = MONEY[2]
_PER_UNIT = Rate.of("1")


class LineKey(NamedTuple):
    """What makes two obligations one line. Two rates are two lines, never a blend.

    `partner` is whose contract it follows. `subject` tells lines apart that follow no entry, or one correction.
    `fees` spells those that are taken on the line: other fees are another line.
    """

    leg: Leg
    partner: str
    currency: str
    rate: Rate
    rounding: Rounding
    counterparty: str = OPERATOR
    tax: str = ""
    subject: str = ""
    fees: str = ""

    @property
    def debtor(self) -> str:
        return sides(self.leg, self.partner, self.counterparty)[0]

    @property
    def creditor(self) -> str:
        return sides(self.leg, self.partner, self.counterparty)[1]

    @property
    def order(self) -> tuple[str, str, str, Rate, str, str, str, str, str]:
        """One order for everybody: by partner, leg, currency, rate."""
        facts = (self.partner, self.leg.value, self.currency, self.rate, self.rounding.value)
        return (*facts, self.counterparty, self.tax, self.subject, self.fees)

    @property
    def name(self) -> str:
        """The line for people, and for a fee that is taken on it."""
        parts = (
            self.leg.value,
            f"{self.debtor}>{self.creditor}",
            str(self.rate),
            self.currency,
            self.tax,
            self.subject,
        )
        return " ".join(part for part in parts if part)

    @property
    def unit(self) -> int:
        """How many of what `exactly` counts make a minor unit."""
        return int(10 ** (_PLACES - exponent_of(self.currency)))

    def exactly(self, quantity: int) -> int:
        """The exact price of a signed quantity, in units of 10**-18 of the currency."""
        counts_money = self.subject.startswith(MONEY)
        return self.rate.billionths * quantity * int(10 ** (9 - (exponent_of(self.currency) if counts_money else 0)))

    def rounded(self, exact: int) -> int:
        """What `exactly` gave, as whole minor units."""
        return self.rounding.rounded(_decimal(exact), exponent_of(self.currency))


class TakenFee(NamedTuple):
    """A fee that is taken on a line, with its tax class."""

    kind: FeeKind
    price: Rate
    payer: Payer
    tax: str

    @property
    def text(self) -> str:
        """As a line's key spells it."""
        return f"{self.kind.value} {self.price} {self.payer.value} {self.tax}"


@lru_cache(maxsize=1024)
def taken_fees(text: str) -> tuple[TakenFee, ...]:
    """The fees that a line's key spells."""
    rows = [one.split(" ") for one in text.split(";") if one]
    return tuple(TakenFee(FeeKind(kind), Rate.of(price), Payer(payer), tax) for kind, price, payer, tax in rows)


class Rollup(NamedTuple):
    """What a window's obligations of one key add up to. Points are signed; `subject` names a correction."""

    leg: Leg
    version: VersionId
    points: int
    items: int
    late_items: int
    counterparty: str = OPERATOR
    rate_class: str = ""
    month: int = 0
    subject: str = ""


class Counted(NamedTuple):
    """What a line counted in all windows before."""

    points: int = 0
    items: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """`points_before` and `points_after` run over all windows; `booked_minor` is what this window rounds to.

    The debtor pays the creditor `booked_minor + tax_minor`. A FEE counts items, points, minor units or months.
    """

    key: LineKey
    points: int
    items: int
    late_items: int
    points_before: int
    booked_minor: int
    tax_minor: int = 0

    @property
    def points_after(self) -> int:
        return self.points_before + self.points

    @property
    def exact(self) -> Decimal:
        """What this window's points cost, unrounded, in major units."""
        return _decimal(self.key.exactly(self.points))


def key_of(
    leg: Leg,
    version: VersionId,
    book: PriceBook,
    counterparty: str = OPERATOR,
    rate_class: str = "",
    subject: str = "",
) -> LineKey:
    """The line that obligations of this leg, version and rate class belong to."""
    terms = book.terms(version)
    taxes = terms.tax_classes
    if subject.startswith(AMOUNT):
        tax = taxes.get(leg, "")
        return LineKey(leg, version.partner, terms.currency, _PER_UNIT, terms.rounding, counterparty, tax, subject)
    fees = [TakenFee(fee.kind, fee.price, fee.payer, taxes.get(Leg.FEE, "")) for fee in terms.fees_on(leg)]
    rate, tax = terms.rate(leg, rate_class), taxes.get(leg, "")
    facts = (leg, version.partner, terms.currency, rate, terms.rounding)
    return LineKey(*facts, counterparty, tax, subject, ";".join(fee.text for fee in fees))


def line_of(rollup: Rollup, book: PriceBook) -> LineKey:
    """The line that a rollup belongs to."""
    _, version, _, _, _, counterparty, rate_class, _, subject = rollup
    return key_of(rollup.leg, version, book, counterparty, rate_class, subject)


def counted(rollups: Iterable[Rollup], book: PriceBook) -> dict[LineKey, Counted]:
    """What rollups of earlier windows add up to, line by line."""
    sums: dict[LineKey, Counted] = {}
    for rollup in rollups:
        key = line_of(rollup, book)
        before = sums.get(key, Counted())
        sums[key] = Counted(before.points + rollup.points, before.items + rollup.items)
    return sums


def lines_of(rollups: Iterable[Rollup], before: Mapping[LineKey, Counted], book: PriceBook) -> list[Line]:
    """The lines of a window's obligations, in order. `before` holds what each line counted in earlier windows."""
    sums: dict[LineKey, list[int]] = {}
    for rollup in rollups:
        row = sums.setdefault(line_of(rollup, book), [0, 0, 0])
        row[0] += rollup.points
        row[1] += rollup.items
        row[2] += rollup.late_items
    unbooked = [
        Line(key, points, items, late_items, before.get(key, Counted()).points, 0)
        for key, (points, items, late_items) in sums.items()
    ]
    return booked(unbooked)


def booked(lines: Iterable[Line]) -> list[Line]:
    """The lines rounded as their contracts say, with their tax, in order."""
    found = list(lines)
    minor = {line.key: _cumulative(line) for line in found if line.key.rounding.is_cumulative}
    groups: dict[tuple[str, Leg, str, Rounding], list[Line]] = defaultdict(list)
    for line in found:
        key = line.key
        if not key.rounding.is_cumulative:
            groups[key.debtor, key.leg, key.currency, key.rounding].append(line)
    for group in groups.values():
        minor |= _as_a_whole(group)
    done = [
        replace(line, booked_minor=minor[line.key], tax_minor=tax_on(line.key.tax, minor[line.key])) for line in found
    ]
    return sorted(done, key=lambda line: line.key.order)


def entry_shares(line: Line, points: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """What each entry behind a line has of its booked minor units. `points` are by (bucket, seq)."""
    return spread(line.booked_minor, {place: line.key.exactly(one) for place, one in points.items()}, line.key.unit)


def _cumulative(line: Line) -> int:
    """Any cutting into windows gives the same total, and what is undone wholly ends at exactly zero."""
    key = line.key
    return key.rounded(key.exactly(line.points_after)) - key.rounded(key.exactly(line.points_before))


def _as_a_whole(group: list[Line]) -> dict[LineKey, int]:
    """The rounded total of one debtor, leg, currency and window, spread over its lines."""
    keys = {(line.key.debtor, line.key.creditor, line.key.order): line for line in group}
    exact = {place: line.key.exactly(line.points) for place, line in keys.items()}
    one = group[0].key
    shares = spread(one.rounded(sum(exact.values())), exact, one.unit)
    return {keys[place].key: share for place, share in shares.items()}


def _decimal(exact: int) -> Decimal:
    """An exact decimal from its digits: arithmetic would round to the context's precision."""
    return Decimal((int(exact < 0), tuple(int(digit) for digit in str(abs(exact))), -_PLACES))
