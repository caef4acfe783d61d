"""How people write instants and steps of time: 2017-01-01T00:00:00Z, 1d, 2h30m, -15m."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

_STEP = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<days>\d{1,6})d)?(?:(?P<hours>\d{1,6})h)?(?:(?P<minutes>\d{1,6})m)?(?:(?P<seconds>\d{1,9})s)?"
)


def instant_of(text: str) -> datetime:
    """An instant; a day alone begins at midnight, and where no zone is given it is UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no instant; write it as 2017-01-01T00:00:00Z") from None
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise typer.BadParameter(f"{text!r} lies outside the years 1 to 9999") from None


def moved(instant: datetime, step: timedelta) -> datetime:
    """The instant that lies a step away."""
    try:
        return instant + step
    except OverflowError:
        raise typer.BadParameter(f"from {instant:%Y-%m-%d} that step leads outside the years 1 to 9999") from None


def step_of(text: str) -> timedelta:
    """A step forward or, with a minus, back."""
    found = _STEP.fullmatch(text)
    parts = {unit: int(value) for unit, value in found.groupdict().items() if unit != "sign" and value} if found else {}
    if found is None or not parts:
        raise typer.BadParameter(f"{text!r} is no step of time; write it as 1d, 2h30m or -15m")
    step = timedelta(**parts)
    return -step if found["sign"] == "-" else step
