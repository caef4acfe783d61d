"""How many lanes share the work. Few wishes make better batches in one lane; many overlap better in several.

A transaction costs about as much as twenty wishes, whatever it posts. So 64 callers with a wish each are served by one
lane with batches of 20 to 60 rather than by four with 5 to 15, and a backlog by all.
"""

from __future__ import annotations

import time
from typing import Final

WISHES_FOR_A_LANE: Final = 250
_WINDOW_SECONDS: Final = 0.1


class Width:
    """Follows the load: wider at once, narrower when a tenth of a second needed less.

    It changes seldom, for two lanes that want one bucket wait for each other. Callers need no lock: whoever is wrong
    by one costs a moment, for the heads in the database keep the order.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._width = 1
        self._needed = 1
        self._until = 0.0

    def of(self, load: int) -> int:
        """Lanes to deal to while so many wishes are there."""
        needed = min(self._most, 1 + load // WISHES_FOR_A_LANE)
        if needed > self._width:
            self._width = needed
        self._needed = max(self._needed, needed)
        if (now := time.monotonic()) >= self._until:
            self._width, self._needed, self._until = self._needed, needed, now + _WINDOW_SECONDS
        return self._width
