"""A budget of misses: whoever guesses runs dry, whoever finds what they look for never notices it.

GCRA in whole microseconds: a theoretical arrival time per principal says how much of the budget is spent; it comes back
evenly over the window. In the process: with several processes each has its own.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from shared.instants import micros
from shared.refusal import Kind, Refusal

_MICROSECOND = timedelta(microseconds=1)
_MOST_REMEMBERED = 100_000


class TooManyMisses(Refusal):
    """The budget is spent. Right answers are withheld too, or the next guess would still be worth making."""

    kind = Kind.TOO_MUCH
    message = "Too many identifiers or codes were wrong, or taken."
    remedy = "Wait until some of the budget has come back; check what the tills send."


class MissBudget:
    """At most `misses` at once for each principal; all of them come back within `window`."""

    def __init__(self, misses: int, window: timedelta) -> None:
        self._window = window // _MICROSECOND
        self._each = max(1, self._window // misses)
        self._spent_until: dict[str, int] = {}
        self._lock = threading.Lock()

    def refusal(self, who: str, at: datetime) -> TooManyMisses | None:
        """What to answer instead of looking, when nothing of the budget is left."""
        now = micros(at)
        with self._lock:
            missing = self._spent(who, now) + self._each - self._window
        return TooManyMisses(retry_after_ms=missing // 1000 + 1) if missing > 0 else None

    def count(self, who: str, at: datetime) -> None:
        """One miss."""
        now = micros(at)
        with self._lock:
            self._spent_until[who] = now + min(self._spent(who, now) + self._each, self._window)
            if len(self._spent_until) > _MOST_REMEMBERED:
                self._spent_until = {name: until for name, until in self._spent_until.items() if until > now}

    def _spent(self, who: str, now: int) -> int:
        ahead = self._spent_until.get(who, now) - now
        if ahead > 2 * self._window:  # the clock was set back: a sandbox's may be
            del self._spent_until[who]
            return 0
        return max(0, ahead)
