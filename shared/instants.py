"""Instants as the journal spells them: microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(when: datetime) -> int:
    """Microseconds since 1970."""
    return (when - _EPOCH) // _MICROSECOND


def instant(at: int) -> datetime:
    """The aware datetime of microseconds since 1970."""
    return _EPOCH + at * _MICROSECOND
