"""Holidays as the library `holidays` lists them. They are looked up once, when a calendar is proposed."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version

import holidays

from shared.refusal import Kind, Refusal

SOURCE = f"holidays {version('holidays')}"
"""The edition, as a calendar names it."""


class CalendarSourceUnknown(Refusal):
    """No list of that name."""

    kind = Kind.MALFORMED
    message = "There is no list of holidays of {source}."
    remedy = "Send ECB, or a country's two letters with a subdivision where it has some, or days of your own."


def listed(source: str, first: date, end: date) -> dict[date, str]:
    """The holidays from `first` until before `end`: of `ECB` (the days on which TARGET is closed), of a country or of
    a part of one; none for an empty source. Raises CalendarSourceUnknown.
    """
    if not source:
        return {}
    years = range(first.year, end.year + 1)
    country, _, part = source.partition("-")
    try:
        if source == "ECB":
            found = dict(holidays.financial_holidays("XECB", years=years, language="en_US"))
        else:
            found = dict(holidays.country_holidays(country, part or None, years=years, language="en_US"))
    except NotImplementedError:
        raise CalendarSourceUnknown(field="source", source=source) from None
    return {day: str(name) for day, name in sorted(found.items()) if first <= day < end}
