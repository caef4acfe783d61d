"""The hours of a trading day, in the data's time.

The data's timestamps carry no zone. They are UTC of stores on the east coast of America: its weeks turn at 05:00, and
2,099 of the 2,102 coupons were redeemed on a day on which the household shopped if days are cut there (1,869 if at
midnight). So a trading day runs from 05:00 to 05:00, and the purchases fill 2017 exactly.

For each day the demo acts in this order, each step at an instant of its own:

    returns     14:00          what comes back was bought the day before
    uploads     04:59:59       the day's last second: each till sends the day's purchases, as one backlog
    wishes      05:01 + k min  the k-th redemption of each household; a code step lasts half a minute
    closing     06:00          where the day was the last of its month, or of the demo: the window

Nothing is posted before it happened. Who redeems a coupon can pay with what that day's purchases earned; who returns
goods the day after may have spent those points already, and the ledger takes others.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

DAY_TURNS = timedelta(hours=5)


def trading_day(instant: datetime) -> date:
    """The day of trade that an instant belongs to."""
    return (instant - DAY_TURNS).date()


def opening(day: date) -> datetime:
    """When the day begins; the last instant of the day before has passed."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY_TURNS


def returns_at(day: date) -> datetime:
    """When goods come back."""
    return opening(day) + timedelta(hours=9)


def uploads_at(day: date) -> datetime:
    """The last second of the day, by which all its purchases have been made."""
    return _end(day) - timedelta(seconds=1)


def wishes_at(day: date, turn: int) -> datetime:
    """When the wishes of a turn (0, 1, 2 ...) are made: more than a code step apart."""
    return _end(day) + timedelta(minutes=1 + turn)


def closing_at(day: date) -> datetime:
    """When a month that ended with this day is settled."""
    return _end(day) + timedelta(hours=1)


def _end(day: date) -> datetime:
    return opening(day + timedelta(days=1))
