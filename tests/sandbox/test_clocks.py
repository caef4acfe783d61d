"""A sandbox has the machine's clock until it is given one of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.sandbox import clocks
from services.sandbox.home import Home
from services.sandbox.refusals import FileDamaged, NoSandboxClock
from shared.clock import SystemClock

NEW_YEAR = datetime(2017, 1, 1, tzinfo=UTC)


def test_without_one_it_is_the_machines_time_and_cannot_be_moved(home: Home) -> None:
    assert abs(clocks.now(home) - SystemClock().now()) < timedelta(seconds=5)
    with pytest.raises(NoSandboxClock, match="follows the machine's clock"):
        clocks.move_by(home, timedelta(days=1))


def test_its_own_stands_still_and_moves_both_ways(home: Home) -> None:
    clocks.arrange(home, NEW_YEAR)
    assert clocks.now(home) == clocks.now(home) == NEW_YEAR
    assert clocks.move_by(home, timedelta(days=1)) == clocks.now(home) == NEW_YEAR + timedelta(days=1)
    assert clocks.move_by(home, -timedelta(days=2)) == NEW_YEAR - timedelta(days=1)


def test_one_that_is_there_stays_where_it_stands(home: Home) -> None:
    clocks.arrange(home, NEW_YEAR)
    clocks.arrange(home, "now")
    clocks.arrange(home, None)
    assert clocks.now(home) == NEW_YEAR


def test_it_can_be_given_back(home: Home) -> None:
    clocks.arrange(home, "now")
    clocks.arrange(home, "machine")
    assert not clocks.has_clock(home)


def test_a_damaged_one_is_one_line(home: Home) -> None:
    home.clock.write_bytes(b"noon")
    with pytest.raises(FileDamaged, match="does not hold an instant"):
        clocks.now(home)
