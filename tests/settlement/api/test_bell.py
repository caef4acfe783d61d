"""The bell ends a wait at once, is heard once for any number of rings, and an answer is no ring."""

from __future__ import annotations

import threading
import time

from services.settlement.api.bell import Bell


def waited(bell: Bell, seconds: float, *, awaited: bool = False) -> float:
    began = time.monotonic()
    bell.wait_for(lambda: awaited, seconds)
    return time.monotonic() - began


def test_it_is_heard_once_for_any_number_of_rings() -> None:
    bell = Bell()
    assert not bell.heard()
    bell.ring()
    bell.ring()
    assert bell.heard()
    assert not bell.heard()


def test_a_ring_ends_a_wait_also_when_it_came_before() -> None:
    bell = Bell()
    timer = threading.Timer(0.05, bell.ring)
    timer.start()
    assert waited(bell, 30) < 5
    assert waited(bell, 30) < 5, "nobody has heard it yet"
    assert bell.heard()


def test_what_is_awaited_ends_a_wait_and_is_no_ring() -> None:
    bell, answer = Bell(), threading.Event()

    def answered() -> None:
        answer.set()
        bell.look()

    timer = threading.Timer(0.05, answered)
    timer.start()
    bell.wait_for(answer.is_set, 30)
    assert answer.is_set()
    assert not bell.heard()
    assert waited(bell, 30, awaited=True) < 5


def test_without_either_the_time_is_up() -> None:
    assert 0.05 <= waited(Bell(), 0.05) < 5
