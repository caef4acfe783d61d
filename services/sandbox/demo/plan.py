"""What happens on which day: the demo's whole script, made from the data and nothing else.

The same arguments give the same plan, on any machine. Days are built when they are asked for, so that a year of
purchases never stands in memory.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from services.sandbox.demo.data import EPOCH, Purchase, Wish, purchases, wishes
from services.sandbox.demo.departments import PARTNERS
from services.sandbox.demo.parquet import Lines, read_lines
from services.sandbox.demo.refusals import BasketsOutOfRange

FIRST_DAYS = 28
SEED = "coalition demo 2017"
_ONE_IN = 100


@dataclass(frozen=True, slots=True)
class Slice:
    """How much of the data: the first days, the first baskets in time order, or all of it."""

    baskets: int | None = None
    days: int | None = None

    @classmethod
    def named(cls, text: str | None) -> Slice:
        """What `--baskets` says: nothing is the first four weeks."""
        if text is None:
            return cls(days=FIRST_DAYS)
        if text == "all":
            return cls()
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise BasketsOutOfRange(asked=text, available="155848")
        return cls(baskets=int(text))

    def __str__(self) -> str:
        if self.baskets is not None:
            return f"the first {self.baskets} baskets"
        return f"the first {self.days} days" if self.days is not None else "all baskets"


@dataclass(frozen=True, slots=True)
class Day:
    """One trading day, in the order in which it happens. `hours` has the instants."""

    on: date
    returns: tuple[Purchase, ...]  # bought the day before
    uploads: Mapping[str, tuple[Purchase, ...]]  # by partner, in time order
    turns: tuple[tuple[Wish, ...], ...]  # the k-th wishes of all households that have so many
    closes_window: bool  # the last day of a month, or of the plan


class Plan:
    """All days of a slice, from its first purchase to the day on which its last ones come back."""

    def __init__(self, lines: Lines, wished: Sequence[Wish]) -> None:
        self._lines = lines
        first, last = lines.days[0], lines.days[-1]
        self.first_day = EPOCH + timedelta(days=first)
        self.last_day = EPOCH + timedelta(days=last)
        self._wishes: defaultdict[date, list[Wish]] = defaultdict(list)
        for wish in wished:
            if self.first_day <= wish.day <= self.last_day:
                self._wishes[wish.day].append(wish)
        self.basket_count = lines.basket_count
        self.purchase_count = sum(lines.purchase_counts.values())
        self.wish_count = sum(map(len, self._wishes.values()))

    @property
    def wishing_households(self) -> list[int]:
        """Everybody who wishes to pay with points in this slice."""
        return sorted({wish.household for wishes in self._wishes.values() for wish in wishes})

    @property
    def households(self) -> list[int]:
        """Everybody who buys or wishes in this slice; they become the members."""
        return sorted({*self.wishing_households, *self._lines.households()})

    @property
    def stores(self) -> Mapping[str, list[int]]:
        """The stores in which each partner sells something."""
        found: dict[str, list[int]] = {partner: [] for partner in PARTNERS}
        for partner, store in self._lines.stores():
            found[PARTNERS[partner]].append(store)
        return found

    @property
    def dates(self) -> list[date]:
        """Every calendar day, closed ones too, and one more for what comes back last."""
        return [self.first_day + timedelta(days=n) for n in range((self.last_day - self.first_day).days + 2)]

    def purchases_before(self, day: date) -> int:
        """How many purchases the days before this one have."""
        counts = self._lines.purchase_counts.items()
        return sum(count for number, count in counts if number < (day - EPOCH).days)

    def days(self, since: date | None = None) -> Iterator[Day]:
        """The days in order, from the first or from a later one on."""
        dates = [day for day in self.dates if since is None or day >= since]
        bought = self._bought(dates[0] - timedelta(days=1)) if dates else {}
        for day in dates:
            yesterday, bought = bought, self._bought(day)
            yield Day(
                on=day,
                returns=tuple(purchase for sold in yesterday.values() for purchase in sold if comes_back(purchase)),
                uploads=bought,
                turns=_in_turns(self._wishes.get(day, [])),
                closes_window=day == self.dates[-1] or (day + timedelta(days=1)).day == 1,
            )

    def _bought(self, day: date) -> dict[str, tuple[Purchase, ...]]:
        sold: defaultdict[str, list[Purchase]] = defaultdict(list)
        for purchase in purchases(self._lines.of((day - EPOCH).days)):
            sold[purchase.partner].append(purchase)
        return {partner: tuple(made) for partner, made in sold.items()}


def made_from(folder: Path, slice_: Slice) -> Plan:
    """The plan for a slice of the data in a folder."""
    lines = read_lines(folder, baskets=slice_.baskets, days=slice_.days)
    if slice_.baskets is not None and slice_.baskets > lines.basket_count:
        raise BasketsOutOfRange(asked=slice_.baskets, available=lines.basket_count)
    return Plan(lines, wishes(folder))


def comes_back(purchase: Purchase) -> bool:
    """Whether the goods return: one purchase in a hundred, drawn by a hash of the seed and its key.

    The only synthetic part of the demo. A slice, a rerun and the whole year draw the same ones.
    """
    drawn = hashlib.sha256(f"{SEED} {purchase.key}".encode()).digest()
    return int.from_bytes(drawn[:8]) * _ONE_IN < 2**64


def _in_turns(wished: Sequence[Wish]) -> tuple[tuple[Wish, ...], ...]:
    turns = max((wish.turn for wish in wished), default=-1) + 1
    return tuple(tuple(wish for wish in wished if wish.turn == turn) for turn in range(turns))
