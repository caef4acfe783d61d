"""Calendars: business days are rows, and so are the instants at which they are cut off."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.domain.calendar import Calendar, CalendarEnds, days_between

FIRST, END = date(2026, 1, 1), date(2027, 1, 1)
HOLIDAYS = {date(2026, 1, 1): "New Year", date(2026, 4, 3): "Good Friday", date(2026, 4, 6): "Easter Monday"}
DAYS = days_between(FIRST, END, HOLIDAYS, frozenset({5, 6}), "Europe/Berlin", time(16))
TARGET = Calendar("calendars/target", 1, "Europe/Berlin", "a test", DAYS)


@settings(deadline=None)
@given(day=st.dates(FIRST, date(2026, 11, 1)), after=st.integers(0, 20))
def test_so_many_business_days_later_there_are_so_many_between(day: date, after: int) -> None:
    found = TARGET.business_day(day, after)
    assert TARGET.is_business(found)
    between = [day + timedelta(days=number) for number in range((found - day).days)]
    assert sum(TARGET.is_business(one) for one in between) == after


@settings(deadline=None)
@given(at=st.datetimes(datetime(2026, 1, 2), datetime(2026, 11, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_next_cut_off_comes_after_now_and_none_lies_between(at: datetime) -> None:
    found = TARGET.next_cut_off(at)
    assert found > at
    days = (at.date() + timedelta(days=number) for number in range(-1, (found.date() - at.date()).days + 1))
    earlier = [TARGET.cut_off(day) for day in days if TARGET.is_business(day)]
    assert [one for one in earlier if at < one < found] == []


def test_a_cut_off_is_a_local_time_across_summer_time() -> None:
    assert TARGET.cut_off(date(2026, 3, 27)) == datetime(2026, 3, 27, 15, tzinfo=UTC)
    assert TARGET.cut_off(date(2026, 3, 30)) == datetime(2026, 3, 30, 14, tzinfo=UTC)


def test_easter_is_over_on_tuesday() -> None:
    assert TARGET.business_day(date(2026, 4, 2), 1) == date(2026, 4, 7)
    assert TARGET.day(date(2026, 4, 4)).closed == "weekend"


def test_what_nobody_decided_about_is_refused() -> None:
    for day in (FIRST - timedelta(days=1), END):
        with pytest.raises(CalendarEnds):
            TARGET.is_business(day)
    with pytest.raises(CalendarEnds):
        TARGET.business_day(date(2026, 12, 31), 1)
