"""The instant of a decision, and calendar days around it."""

from __future__ import annotations

from datetime import UTC, date, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from shared.instants import instant

DAY = 86_400_000_000
"""Microseconds."""


class Moment(NamedTuple):
    """The instant of a decision in microseconds, and the day it falls on in the programme's time zone."""

    at: int
    today: date
    zone: tzinfo = UTC

    def day_of(self, at: int) -> date:
        """The programme's calendar day of an instant."""
        return self.today if at == self.at else day_of(at, self.zone)


def day_of(at: int, zone: tzinfo) -> date:
    """The calendar day of an instant; at the ends of the calendar, where zones fall off it, UTC's."""
    try:
        return instant(at).astimezone(zone).date()
    except OverflowError:
        return instant(at).date()


@lru_cache(maxsize=1024)
def days_after(day: date, days: int) -> date:
    """So many days later, at most the end of the calendar."""
    return day + min(timedelta(days=days), date.max - day)
