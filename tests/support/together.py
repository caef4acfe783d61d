"""Things done at the same moment, and waiting for something to be so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Every act on a thread of its own, all let go together; the answers in the order of the acts."""
    gate = threading.Barrier(len(acts))

    def act(what: Callable[[], T]) -> T:
        gate.wait(timeout=30)
        return what()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(act, what) for what in acts]]


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for it; fail when it never comes."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it never came"
        time.sleep(0.01)
