"""What the programme decides about its points, as far as the ledger needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.ledger.domain.wish import Moment
from shared.instants import instant, micros


@dataclass(frozen=True, slots=True)
class Programme:
    """`lot_days`: days of use after the day of earning, 0 for points that never end. `grace_days`: what a lot past its
    date gets when points are refunded into it."""

    zone: ZoneInfo
    lot_days: int
    grace_days: int

    def moment(self, now: datetime) -> Moment:
        return Moment(micros(now), now.astimezone(self.zone).date())

    def day_of(self, at: int) -> date:
        """The programme's calendar day of an instant; at the ends of the calendar, where zones fall off it, UTC's."""
        try:
            return instant(at).astimezone(self.zone).date()
        except OverflowError:
            return instant(at).date()

    def last_day_of_use(self, earned_at: int) -> date | None:
        """The expiry of points earned then, where the award names none."""
        if not self.lot_days:
            return None
        earned_on = self.day_of(earned_at)
        return earned_on + min(timedelta(days=self.lot_days), date.max - earned_on)
