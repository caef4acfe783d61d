"""What the programme decides about its points, as far as the ledger needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from zoneinfo import ZoneInfo

from services.ledger.domain.moment import Moment, day_of, days_after
from shared.instants import micros


class Expiry(Enum):
    """When points end whose award names no day.

    NONE: never. FIXED_PERIOD: `lot_days` after the day of earning. FIXED_DATE: on the first `expiry_day` that leaves
    at least `lot_days`. INACTIVITY: `lot_days` after the wallet's last award or redemption.
    """

    NONE = "NONE"
    FIXED_PERIOD = "FIXED_PERIOD"
    FIXED_DATE = "FIXED_DATE"
    INACTIVITY = "INACTIVITY"


@dataclass(frozen=True, slots=True)
class Programme:
    """`grace_days`: what a lot past its date gets when points are refunded into it. `expiry_day`: month and day.

    `transfer_points` and `transfer_points_a_day`: the most that a wallet may send to another, 0 for no limit.
    """

    zone: ZoneInfo
    lot_days: int
    grace_days: int
    expiry: Expiry = Expiry.FIXED_PERIOD
    expiry_day: tuple[int, int] = (12, 31)
    oldest_first: bool = False
    transfer_points: int = 0
    transfer_points_a_day: int = 0
    adjustment_points: int = 0

    def moment(self, now: datetime) -> Moment:
        return Moment(micros(now), now.astimezone(self.zone).date(), self.zone)

    def day_of(self, at: int) -> date:
        """The programme's calendar day of an instant."""
        return day_of(at, self.zone)

    def last_day_of_use(self, earned_at: int) -> date | None:
        """The expiry of points earned at that instant, where the award names none; None where no date ends them."""
        return self.last_day_after(self.day_of(earned_at))

    def last_day_after(self, earned_on: date) -> date | None:
        """The expiry of points earned that day, where the award names none; None where no date ends them."""
        if self.expiry in (Expiry.NONE, Expiry.INACTIVITY) or not self.lot_days:
            return None
        earliest = days_after(earned_on, self.lot_days)
        return earliest if self.expiry is Expiry.FIXED_PERIOD else self._next_expiry_day(earliest)

    @property
    def idle_days(self) -> int | None:
        """The days of inactivity that end a lot without a date; None where inactivity ends nothing."""
        return self.lot_days if self.expiry is Expiry.INACTIVITY else None

    def _next_expiry_day(self, earliest: date) -> date:
        month, day = self.expiry_day
        years = range(earliest.year, min(earliest.year + 2, date.max.year + 1))
        return next((found for year in years if (found := date(year, month, day)) >= earliest), date.max)
