"""Instants and steps of time as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from services.cli.instants import instant_of, moved, step_of


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2017-01-01T00:00:00Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2017-01-01", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2017-01-01T02:30:00+02:00", datetime(2017, 1, 1, 0, 30, tzinfo=UTC)),
        ("2017-01-01 12:00", datetime(2017, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_utc(text: str, instant: datetime) -> None:
    assert instant_of(text) == instant


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("1d", timedelta(days=1)),
        ("2h30m", timedelta(hours=2, minutes=30)),
        ("-45s", timedelta(seconds=-45)),
        ("+1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ],
)
def test_a_step_goes_forward_or_back(text: str, step: timedelta) -> None:
    assert step_of(text) == step


@pytest.mark.parametrize("text", ["", "-", "1", "1w", "d", "1h1d", "1.5h"])
def test_what_is_no_step_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        step_of(text)


@pytest.mark.parametrize("text", ["", "noon", "2017-13-01"])
def test_what_is_no_instant_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        instant_of(text)


@pytest.mark.parametrize("step", ["-999999d", "-800000d1s"])
def test_a_step_out_of_the_calendar_is_wrong_usage(step: str) -> None:
    with pytest.raises(typer.BadParameter, match="outside the years 1 to 9999"):
        moved(datetime(2017, 1, 1, tzinfo=UTC), step_of(step))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"])
def test_an_instant_out_of_the_calendar_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="outside the years 1 to 9999"):
        instant_of(text)
