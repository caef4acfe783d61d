"""Calendars: which days are business days, and when each of them is cut off. Published as versions whose days are rows.

Nothing is computed from a rule once a version is published: neither a new edition of a library or of time zones nor a
holiday that is declared later moves a day of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.canonical import Canonical
from shared.instants import instant, micros
from shared.refusal import Kind, Refusal

_DAY = timedelta(days=1)


class CalendarEnds(Refusal):
    """A day that nobody has decided about."""

    kind = Kind.NOT_NOW
    message = "{calendar} says nothing about {day}."
    remedy = "Publish a version of the calendar that reaches that far."


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `closed` says why it is no business day, and is empty on one; `cut_off_at` is in microseconds."""

    day: date
    closed: str
    cut_off_at: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """One version of a calendar."""

    name: str
    version: int
    zone: str
    source: str
    days: Mapping[date, Day]

    def day(self, day: date) -> Day:
        """Raises CalendarEnds."""
        if day not in self.days:
            raise CalendarEnds(calendar=f"{self.name}/versions/{self.version}", day=day)
        return self.days[day]

    def is_business(self, day: date) -> bool:
        """Raises CalendarEnds."""
        return not self.day(day).closed

    def business_day(self, day: date, after: int = 0) -> date:
        """That day or the first business day after it, and so many business days later. Raises CalendarEnds."""
        while not self.is_business(day):
            day += _DAY
        for _ in range(after):
            day = self.business_day(day + _DAY)
        return day

    def cut_off(self, day: date) -> datetime:
        """When that day is cut off. Raises CalendarEnds."""
        return instant(self.day(day).cut_off_at)

    def next_cut_off(self, after: datetime) -> datetime:
        """The first cut-off of a business day after that instant. Raises CalendarEnds."""
        day = self.business_day(after.astimezone(ZoneInfo(self.zone)).date())
        while self.cut_off(day) <= after:
            day = self.business_day(day + _DAY)
        return self.cut_off(day)

    def content(self) -> Canonical:
        """What is approved: every day."""
        return {
            "zone": self.zone,
            "source": self.source,
            "days": [[one.day.isoformat(), one.closed, one.cut_off_at] for _, one in sorted(self.days.items())],
        }


def days_between(
    first: date, end: date, holidays: Mapping[date, str], weekend: frozenset[int], zone: str, cut_off: time
) -> dict[date, Day]:
    """All days from `first` until before `end`; `weekend` are weekdays, Monday is 0. The cut-off is a local time."""
    found = {}
    for number in range((end - first).days):
        day = first + number * _DAY
        closed = holidays.get(day, "") or ("weekend" if day.weekday() in weekend else "")
        local = datetime.combine(day, cut_off, ZoneInfo(zone))
        found[day] = Day(day, closed, micros(local))
    return found
