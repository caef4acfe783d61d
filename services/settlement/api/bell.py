"""A bell that ends a wait: for news of the journal, which may take long, while somebody wants a window closed now."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Bell:
    """Rung by whoever wants something done at once; heard by the one who waits, once for any number of rings."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = False

    def ring(self) -> None:
        with self._changed:
            self._rung = True
            self._changed.notify_all()

    def heard(self) -> bool:
        """Whether it was rung since this was last asked."""
        with self._changed:
            rung, self._rung = self._rung, False
            return rung

    def look(self) -> None:
        """Let the one who waits look again at what is awaited. This is no ring: nobody wants anything."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, awaited: Callable[[], bool], seconds: float) -> None:
        """Return when it is rung, when what is awaited has come, or when the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung or awaited(), seconds)
