"""What the real data says, in the words of the trade: purchases at partners, and wishes to redeem."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path

from services.sandbox.demo.departments import PARTNERS, partner_of
from services.sandbox.demo.parquet import Row, read_coupons, read_products, read_redemptions

EPOCH = date(1970, 1, 1)
POINTS_WISHED = 100
_EPOCH_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One product on a receipt; its department is empty where the data has none."""

    product: int
    department: str
    cents: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """The lines of one basket that one partner sold: a receipt of that partner."""

    partner: str
    basket: int
    household: int
    store: int
    at: datetime
    lines: tuple[Line, ...]

    @property
    def key(self) -> str:
        """Names it in the whole data, for ever."""
        return f"{self.basket}-{self.partner}"

    @property
    def cents(self) -> int:
        """What it cost."""
        return sum(line.cents for line in self.lines)

    @property
    def base_points(self) -> int:
        """One point per whole dollar of the total: what the base rule should give. The driver never posts it."""
        return self.cents // 100


@dataclass(frozen=True, slots=True)
class Wish:
    """A household wants to pay with points, for a coupon it redeemed that day."""

    household: int
    day: date
    partner: str
    coupon: int
    campaign: int
    turn: int  # 0 for the household's first wish of the day

    @property
    def key(self) -> str:
        """Names it in the whole data, for ever."""
        return f"{self.household}-{self.day.isoformat()}-{self.coupon}-{self.campaign}"


def purchases(rows: Iterable[Row]) -> Iterator[Purchase]:
    """The purchases that rows of one day, sorted by partner, time and basket, belong to."""
    for (partner, _, basket), group in groupby(rows, key=lambda row: (row.partner, row.at, row.basket)):
        lines = list(group)
        yield Purchase(
            partner=PARTNERS[partner],
            basket=basket,
            household=lines[0].household,
            store=lines[0].store,
            at=_EPOCH_INSTANT + timedelta(seconds=lines[0].at),
            lines=tuple(Line(row.product, row.department, row.cents) for row in lines),
        )


def wishes(folder: Path) -> list[Wish]:
    """Every redeemed coupon as a wish at its partner, in order of day, household and turn."""
    partner = coupon_partners(read_coupons(folder), read_products(folder))
    turns: Counter[tuple[int, int]] = Counter()
    made: list[Wish] = []
    for day, household, coupon, campaign in sorted(read_redemptions(folder)):
        turn = turns[day, household]
        turns[day, household] += 1
        at = partner.get(coupon, partner_of(None))
        made.append(Wish(household, EPOCH + timedelta(days=day), at, coupon, campaign, turn))
    return made


def coupon_partners(pairs: Iterable[tuple[int, int]], department: Mapping[int, str]) -> dict[int, str]:
    """The partner that most of each coupon's products belong to; ties go to the first partner by name.

    A product counts once for its coupon, in however many campaigns the coupon was handed out. A product that the
    products table does not know has no department, like a line without one.
    """
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for coupon, product in set(pairs):
        counts[coupon][partner_of(department.get(product))] += 1
    return {coupon: min(found, key=lambda name: (-found[name], name)) for coupon, found in counts.items()}
