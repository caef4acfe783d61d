"""Service fees: what is owed to the operator for entries, points, booked money and calendar months.

A fee on a line runs as the line does: cumulatively, or as a part of the window's rounded total. MONTHLY and MINIMUM
belong to calendar months in UTC and are booked in the window in which the month ends, so that cutting windows changes
neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from services.settlement.domain.contract import PriceBook
from services.settlement.domain.legs import OPERATOR, Leg
from services.settlement.domain.lines import Counted, Line, LineKey, Rollup, TakenFee, taken_fees
from services.settlement.domain.prepaid import Span
from services.settlement.domain.terms import Fee, FeeKind, Payer, Terms
from shared.instants import micros
from shared.money import Rate

_PER_UNIT = Rate.of("1")


def fees_on(lines: Iterable[Line], before: Mapping[LineKey, Counted]) -> list[Line]:
    """The fees on the booked lines of a window, one line each; not rounded yet."""
    found = []
    for line in lines:
        for fee in taken_fees(line.key.fees):
            payer = line.key.partner if fee.payer is Payer.PARTNER else line.key.counterparty
            if payer != OPERATOR:
                quantity, earlier = _quantity(fee, line, before.get(line.key, Counted()))
                key = _fee_key(payer, fee.price, line.key, fee.tax, f"{fee.kind.value} on {line.key.name}")
                found.append(Line(key, quantity, line.items, line.late_items, earlier, 0))
    return found


def monthly_fees(rollups: Iterable[Rollup], before: Iterable[Rollup], span: Span, book: PriceBook) -> list[Line]:
    """The fees of the calendar months that ended up to the window's end; not rounded yet."""
    earlier = list(before)
    now = _by_month([*earlier, *rollups], book)
    then = _by_month(earlier, book)
    found = []
    for partner in book.partners(span.ends):
        for month, last in _months(book, partner, span.ends):
            version = book.in_force(partner, last)
            if version is None:
                continue
            terms = book.terms(version)
            for fee in terms.fees:
                if fee.kind is FeeKind.MONTHLY and span.has(last):
                    found.append(Line(_of_month(fee, terms, partner, month), 1, 1, 0, 0, 0))
                if fee.kind is FeeKind.MINIMUM:
                    key = _of_month(fee, terms, partner, month)
                    owed = _topped(fee, terms, now[partner, terms.currency, month])
                    was = 0 if span.has(last) else _topped(fee, terms, then[partner, terms.currency, month])
                    if owed != was:
                        found.append(Line(key, owed - was, 1, 0, was, 0))
    return found


def _quantity(fee: TakenFee, line: Line, before: Counted) -> tuple[int, int]:
    """What the fee counts in this window, and what it counted before."""
    if fee.kind is FeeKind.PER_ITEM:
        return line.items, before.items
    if fee.kind is FeeKind.PER_POINT:
        return line.points, line.points_before
    booked_before = line.key.rounded(line.key.exactly(line.points_before)) if line.key.rounding.is_cumulative else 0
    return line.booked_minor, booked_before


def _by_month(rollups: Iterable[Rollup], book: PriceBook) -> Mapping[tuple[str, str, int], int]:
    """The exact fees on entries, by partner, currency and month, in units of 10**-18 of the currency."""
    sums: dict[tuple[str, str, int], int] = defaultdict(int)
    for rollup in rollups:
        terms = book.terms(rollup.version)
        for fee in terms.fees if rollup.month else ():
            if fee.leg is not rollup.leg or fee.payer is not Payer.PARTNER:
                continue
            price, points = fee.price.billionths, terms.rate(rollup.leg, rollup.rate_class).billionths * rollup.points
            exact = {
                FeeKind.PER_ITEM: price * rollup.items * 10**9,
                FeeKind.PER_POINT: price * rollup.points * 10**9,
                FeeKind.PERCENT: price * points,
            }.get(fee.kind, 0)
            sums[rollup.version.partner, terms.currency, rollup.month] += exact
    return sums


def _topped(fee: Fee, terms: Terms, exact: int) -> int:
    """What is missing in a month up to its minimum, in minor units."""
    monthly = sum(other.price.billionths for other in terms.fees if other.kind is FeeKind.MONTHLY)
    key = LineKey(Leg.FEE, "", terms.currency, fee.price, terms.rounding)
    return key.rounded(max(fee.price.billionths * 10**9 - monthly * 10**9 - exact, 0))


def _of_month(fee: Fee, terms: Terms, partner: str, month: int) -> LineKey:
    like = LineKey(Leg.FEE, partner, terms.currency, fee.price, terms.rounding)
    price = fee.price if fee.kind is FeeKind.MONTHLY else _PER_UNIT
    subject = f"{fee.kind.value} {month // 100}-{month % 100:02}"
    return _fee_key(partner, price, like, terms.tax_classes.get(Leg.FEE, ""), subject)


def _fee_key(payer: str, price: Rate, like: LineKey, tax: str, subject: str) -> LineKey:
    return LineKey(Leg.FEE, payer, like.currency, price, like.rounding, OPERATOR, tax, subject)


def _months(book: PriceBook, partner: str, ends: int) -> Iterator[tuple[int, int]]:
    """The months of a partner's contract that are over, each with its last microsecond, for fees that belong to one."""
    versions = [version for version in book.of(partner) if version.terms.by_month or _is_monthly(version.terms)]
    if not versions:
        return
    day = datetime.fromtimestamp(versions[0].terms.effective_from // 1_000_000, UTC)
    year, month = day.year, day.month
    while True:
        next_year, next_month = (year, month + 1) if month < 12 else (year + 1, 1)
        last = micros(datetime(next_year, next_month, 1, tzinfo=UTC)) - 1
        if last >= ends:
            return
        yield year * 100 + month, last
        year, month = next_year, next_month


def _is_monthly(terms: Terms) -> bool:
    return any(fee.kind is FeeKind.MONTHLY for fee in terms.fees)
