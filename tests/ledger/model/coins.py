"""What a purse is made of: lots, coins, and who put which coins aside or took them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

Number = tuple[int, int]
"""A lot by the entry line that made it."""


@dataclass(eq=False)
class Lot:
    """Coins of one unit with one issuer, one earning time and one last day of use.

    `ready_at`: until then its coins are pending. `idle_days`: it ends so many days after the purse was last active.
    `origin`: bucket and number of the lot that its coins were awarded in, when that was in another purse.
    """

    number: Number
    unit: str
    issuer: str
    earned_at: int
    last_day: date | None
    awarded: int
    ready_at: int | None = None
    idle_days: int | None = None
    campaign: str = ""
    origin: tuple[int, int, int] | None = None
    undone: int = 0
    owed: int = 0

    def usable(self, today: date) -> bool:
        return self.last_day is None or today <= self.last_day


@dataclass(eq=False)
class Coin:
    """One point. It lies `pending`, `free` or `held`; or it is `spent`, or gone."""

    lot: Lot
    place: str


@dataclass
class Hold:
    """Coins put aside for a sale, in the order in which they were chosen."""

    partner: str
    coins: list[Coin]
    ends_at: int
    captured: int = 0
    released: int = 0

    @property
    def state(self) -> str:
        if self.coins:
            return "open"
        return "captured" if self.captured else "released"


@dataclass
class Spent:
    """Coins that a partner took and has not given back, in the order in which it took them."""

    partner: str
    coins: list[Coin]


@dataclass
class Award:
    """Which partner gave it, and the lot of each line."""

    partner: str
    lots: list[Lot]


@dataclass(frozen=True)
class Line:
    """One line of an award, as the purse is told it."""

    unit: str
    issuer: str
    points: int
    last_day: date | None
    ready_at: int | None = None
    idle_days: int | None = None
    campaign: str = ""


@dataclass(frozen=True)
class Rules:
    """What a partner agreed on.

    `after_clawback`: what becomes of points that are gone: "written off", "withheld" or "owe". `share_bp`:
    the most of a receipt that points may pay, in 1/10 000.
    """

    pending_days: int = 0
    after_clawback: str = "written off"
    step: int = 1
    minimum: int = 0
    share_bp: int = 10_000

    def allow(self, points: int, receipt: int | None) -> bool:
        """Whether so many points may be spent at once, on a receipt worth `receipt` points if that is known."""
        within_share = receipt is None or points * 10_000 <= receipt * self.share_bp
        return points >= self.minimum and points % self.step == 0 and within_share


@dataclass(frozen=True)
class Ending:
    """When points end, as the programme has it."""

    kind: str
    days: int = 0
    day_of_year: tuple[int, int] = (12, 31)

    def last_day(self, earned_on: date) -> date | None:
        match self.kind:
            case "none":
                return None
            case "fixed date":
                earliest = earned_on + timedelta(days=self.days)
                ends = date(earliest.year, *self.day_of_year)
                return ends if ends >= earliest else date(earliest.year + 1, *self.day_of_year)
            case _:
                return earned_on + timedelta(days=self.days)

    @property
    def idle_days(self) -> int | None:
        return self.days if self.kind == "inactivity" else None
