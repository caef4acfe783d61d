"""Calls that come at about the same time are worked on one right after the other.

Between two calls a loop does so much else (frames, system calls, other threads) that what a call needs has left the
processor's caches: measured, each step then takes two to four times as long. Side by side they find it warm.
"""

from __future__ import annotations

import asyncio
from typing import Final

_FEW: Final = 8
"""So many calls under way are worked on as they come: there is next to nothing to gather."""
_MOST: Final = 32
"""In one burst: some milliseconds of work, which hold up everybody else on the loop."""
_GATHERING_SECONDS: Final = 0.003


class Bursts:
    """Those who wait until others are there too. For one loop, and used on it only."""

    def __init__(self) -> None:
        self._under_way = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._late: asyncio.TimerHandle | None = None

    @property
    def many(self) -> bool:
        """Whether so much is under way that gathering pays."""
        return self._under_way > _FEW

    async def begin(self) -> None:
        """A call begins, after a moment where others are about to begin as well. Each begin has its end."""
        self._under_way += 1
        if not self.many:
            return
        loop = asyncio.get_running_loop()
        place = loop.create_future()
        self._waiting.append(place)
        if len(self._waiting) >= _MOST:
            self._go()
        elif self._late is None:
            self._late = loop.call_later(_GATHERING_SECONDS, self._go)
        try:
            await place
        except BaseException:  # the caller has gone
            self.end()
            raise

    async def together(self) -> None:
        """Let the others of the burst come as far as this one, before it does something else."""
        if self.many:
            await asyncio.sleep(0)

    def end(self) -> None:
        """The call is over."""
        self._under_way -= 1

    def _go(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        gathered, self._waiting = self._waiting, []
        for place in gathered:
            if not place.done():
                place.set_result(None)
