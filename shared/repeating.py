"""A thread that does one thing again and again, beside the calls that a service answers, until it is stopped.

What goes wrong ends one turn and no more: the next one begins after the pause. A refusal, as of a database that is
away, is logged as "<work> postponed", and whatever else is raised as "<work> failed": runbooks name these lines.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from shared.log import get_logger
from shared.refusal import Refusal

log = get_logger()

_LEAST_PAUSE_SECONDS: Final = 0.02


class Repeating:
    """Calls `act`, pauses, and calls it again. `name` is the thread's; `work` says in the log what it does.

    `pause` and `pause_after_trouble`, which is the same unless said otherwise, are in seconds. A turn that is long
    asks `is_stopping` or sleeps with `wait`, so that stopping never waits for all of it.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[], object],
        pause: float,
        *,
        work: str,
        pause_after_trouble: float | None = None,
    ) -> None:
        self._act = act
        self._pause = pause
        self._pause_after_trouble = pause if pause_after_trouble is None else pause_after_trouble
        self._first_pause = 0.0
        self._work = work
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, *, after_pause: bool = False) -> None:
        """Begin, at once or after a first pause."""
        self._first_pause = self._pause if after_pause else 0
        self._thread.start()

    def stop(self, within: float | None = None) -> None:
        """No further turn; return when the one at hand is over, or after so many seconds. Also for one not started."""
        self.stop_soon()
        if self._thread.ident is not None:
            self._thread.join(within)

    def stop_soon(self) -> None:
        """Let the turn at hand know, and do not wait for it."""
        self._stopping.set()
        self._woken.set()

    def wake(self) -> None:
        """End the pause, or leave out the next one: what changed during a turn may have come too late for it."""
        self._woken.set()

    def wait(self, seconds: float) -> bool:
        """Sleep in the middle of a turn; True when it is time to stop."""
        return self._stopping.wait(seconds)

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        self._woken.wait(self._first_pause)
        while True:
            self._woken.clear()
            if self._stopping.is_set():
                return
            pause = self._turn()
            self._stopping.wait(min(pause, _LEAST_PAUSE_SECONDS))  # who is woken all the time sleeps all the same
            self._woken.wait(pause)

    def _turn(self) -> float:
        """Do it once; how long to pause then."""
        try:
            self._act()
        except Refusal as refusal:
            log.warning(f"{self._work} postponed", reason=refusal.reason)
        except Exception:
            log.exception(f"{self._work} failed")
        else:
            return self._pause
        return self._pause_after_trouble
