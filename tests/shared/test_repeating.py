"""A thread that repeats: it survives what goes wrong, pauses, can be woken, and stops at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from shared.refusal import Kind, Refusal
from shared.repeating import Repeating
from tests.support.together import until

NEVER = 3600.0


class Away(Refusal):
    kind = Kind.DOWN
    message = "It is away."
    remedy = "Wait."


class Work:
    """Counts its turns; `trouble` is raised in each of them."""

    def __init__(self) -> None:
        self.turns = 0
        self.trouble: Exception | None = None

    def act(self) -> None:
        self.turns += 1
        if self.trouble:
            raise self.trouble


Make = Callable[..., Repeating]


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def repeating(work: Work) -> Iterator[Make]:
    """Makes threads that are stopped at the end."""
    made: list[Repeating] = []

    def make(
        pause: float = NEVER, *, act: Callable[[], object] = work.act, pause_after_trouble: float | None = None
    ) -> Repeating:
        made.append(Repeating("tester", act, pause, work="test", pause_after_trouble=pause_after_trouble))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_it_begins_at_once_and_goes_on_after_each_pause(repeating: Make, work: Work) -> None:
    repeating(0.01).start()
    until(lambda: work.turns > 3)


def test_it_pauses_between_two_turns(repeating: Make, work: Work) -> None:
    repeating().start()
    until(lambda: work.turns == 1)
    time.sleep(0.1)
    assert work.turns == 1


def test_it_may_begin_with_a_pause(repeating: Make, work: Work) -> None:
    late = repeating()
    late.start(after_pause=True)
    time.sleep(0.1)
    assert work.turns == 0
    late.wake()
    until(lambda: work.turns == 1)


@pytest.mark.parametrize(
    ("trouble", "line"),
    [
        (Away(), {"event": "test postponed", "reason": "AWAY", "log_level": "warning"}),
        (ValueError("x"), {"event": "test failed", "exc_info": True, "log_level": "error"}),
    ],
)
def test_what_goes_wrong_is_logged_and_ends_one_turn_only(
    repeating: Make, work: Work, trouble: Exception, line: dict[str, object]
) -> None:
    work.trouble = trouble
    with capture_logs() as logs:
        thread = repeating(0.01)
        thread.start()
        until(lambda: work.turns > 3)
        work.trouble = None
        reached = work.turns
        until(lambda: work.turns > reached + 3)
        thread.stop()
    mine = [one for one in logs if one["event"].startswith("test ")]
    assert len(mine) >= 3
    assert all(one == line for one in mine)


def test_after_trouble_it_may_pause_for_another_time(repeating: Make, work: Work) -> None:
    work.trouble = Away()
    thread = repeating(0, pause_after_trouble=NEVER)
    thread.start()
    until(lambda: work.turns == 1)
    time.sleep(0.1)
    assert work.turns == 1
    work.trouble = None
    thread.wake()
    until(lambda: work.turns > 100)


def test_whoever_wakes_it_during_a_turn_gets_another_one(repeating: Make) -> None:
    """What changed may have come too late for the one at hand."""
    turns: list[None] = []
    begun, goes_on = threading.Event(), threading.Event()

    def act() -> None:
        turns.append(None)
        begun.set()
        assert goes_on.wait(10)

    thread = repeating(act=act)
    thread.start()
    assert begun.wait(10)
    thread.wake()
    goes_on.set()
    until(lambda: len(turns) == 2)
    time.sleep(0.1)
    assert len(turns) == 2


def test_one_that_is_woken_all_the_time_still_sleeps_in_between(repeating: Make, work: Work) -> None:
    thread = repeating()
    began = time.monotonic()
    thread.start()
    until(lambda: work.turns == 1)
    woken = time.monotonic()
    while time.monotonic() - woken < 0.2:
        thread.wake()
    assert work.turns <= 2 + (time.monotonic() - began) / 0.02


def test_stopping_ends_a_pause_and_what_sleeps_in_a_turn(repeating: Make, work: Work) -> None:
    told: list[bool] = []

    def sleep() -> None:
        told.append(sleeping.wait(NEVER))

    pausing, sleeping = repeating(), repeating(act=sleep)
    for thread in (pausing, sleeping):
        thread.start()
        assert thread.is_alive
    until(lambda: work.turns == 1)
    began = time.monotonic()
    for thread in (pausing, sleeping):
        thread.stop()
        assert thread.is_stopping
        assert not thread.is_alive
    assert time.monotonic() - began < 5
    assert (work.turns, told) == (1, [True])


def test_one_that_was_stopped_before_its_start_does_nothing(repeating: Make, work: Work) -> None:
    thread = repeating(0.01)
    thread.stop()
    thread.start()
    until(lambda: not thread.is_alive)
    assert work.turns == 0


def test_stopping_waits_for_the_turn_at_hand_but_no_longer_than_it_is_told(repeating: Make) -> None:
    begun, goes_on, done = threading.Event(), threading.Event(), threading.Event()

    def act() -> None:
        begun.set()
        assert goes_on.wait(10)
        done.set()

    thread = repeating(act=act)
    thread.start()
    assert begun.wait(10)
    thread.stop(within=0.05)
    assert thread.is_alive
    assert not done.is_set()
    goes_on.set()
    thread.stop()
    assert done.is_set()
    assert not thread.is_alive
