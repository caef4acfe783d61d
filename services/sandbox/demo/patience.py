"""Waiting for a service that is away, and giving up in one clear line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from services.sandbox.demo.refusals import DemoStopped, ServiceGone
from shared.refusal import Kind
from shared.rpc.channel import RemoteRefusal

T = TypeVar("T")
Say = Callable[[str], None]

GIVE_UP_SECONDS: Final = 60.0
_REPEATABLE: Final = frozenset({Kind.DOWN, Kind.CHANGED, Kind.TOO_MUCH, Kind.TOO_LATE})
_WAITS: Final = "WINDOW_WAITS"  # the books are still being read; ask again
_PAUSE_SECONDS: Final = 0.5


class Patience:
    """Repeats what may be repeated, for all threads of a run; every request has an id, so a repeat adds nothing."""

    def __init__(self, say: Say, give_up_seconds: float = GIVE_UP_SECONDS) -> None:
        self._say = say
        self._give_up = give_up_seconds
        self._lock = threading.Lock()
        self._warned = False
        self._stop = threading.Event()

    def stop(self) -> None:
        """Let nobody begin or repeat anything any more."""
        self._stop.set()

    def until_answered(self, ask: Callable[[], T]) -> T:
        """The answer, however often it takes, or the refusal that no repeat would change."""
        failing_since: float | None = None
        while True:
            if self._stop.is_set():
                raise DemoStopped
            try:
                answer = ask()
            except RemoteRefusal as refusal:
                if not repeatable(refusal):
                    raise
                failing_since = failing_since or time.monotonic()
                if time.monotonic() - failing_since > self._give_up:
                    raise ServiceGone(why=refusal, seconds=round(self._give_up)) from refusal
                self._warn(refusal)
                self._stop.wait(_PAUSE_SECONDS)
            else:
                if self._warned:
                    self._relax()
                return answer

    def _warn(self, refusal: RemoteRefusal) -> None:
        if refusal.kind is not Kind.DOWN:
            return
        with self._lock:
            warned, self._warned = self._warned, True
        if not warned:
            self._say(f"{refusal} Waiting up to {round(self._give_up)} s: `coalition up` in another terminal helps.")

    def _relax(self) -> None:
        with self._lock:
            warned, self._warned = self._warned, False
        if warned:
            self._say("It goes on.")


def repeatable(refusal: RemoteRefusal) -> bool:
    """Whether the same request may get another answer later."""
    return refusal.kind in _REPEATABLE or refusal.reason == _WAITS
