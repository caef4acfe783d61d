"""A courier brings wishes to one peer: what gathers while its calls are under way goes with the next."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from services.ledger.domain.wish import Wish
from services.ledger.store.waking import Waiter, wake, woken
from services.ledger.store.writer.batch import Outcome
from shared.log import get_logger

log = get_logger()

CALLS: Final = 2
"""At once to one peer: while one is answered the next is on its way."""
_TOGETHER: Final = 500
"""Wishes in one call."""


class PeerAway(Exception):
    """The peer did not answer. `perhaps`: it may have posted all the same."""

    def __init__(self, *, perhaps: bool) -> None:
        super().__init__("perhaps posted" if perhaps else "not asked")
        self.perhaps = perhaps


@dataclass(slots=True, eq=False)
class Parcel:
    """Wishes of one caller, who waits in a thread or, with a `future`, on an event loop.

    `outcomes` stay None when nobody answered; `perhaps` they were posted all the same.
    """

    wishes: Sequence[Wish]
    deadline: float
    future: Waiter | None = None
    done: threading.Event = field(default_factory=threading.Event)
    outcomes: list[Outcome] | None = None
    perhaps: bool = False

    def waited(self) -> None:
        """Block until it was brought, or the deadline."""
        self._landed(on_time=self.done.wait(max(0.0, self.deadline - time.monotonic())))

    async def answered(self) -> None:
        """The same for whoever waits on an event loop."""
        if self.future is not None:
            await woken(self.future, max(0.0, self.deadline - time.monotonic()))
        self._landed(on_time=self.done.is_set())

    def _landed(self, *, on_time: bool) -> None:
        if not on_time:
            self.perhaps = True


class Courier:
    """Brings parcels with one function that makes a call and raises PeerAway."""

    def __init__(self, send: Callable[[Sequence[Wish], float], list[Outcome]], threads: ThreadPoolExecutor) -> None:
        self._send = send
        self._threads = threads
        self._waiting: deque[Parcel] = deque()
        self._calls = 0
        self._changing = threading.Lock()

    def put(self, parcel: Parcel) -> None:
        """Take it along; whoever waits for it is told when it was brought, or could not be."""
        with self._changing:
            self._waiting.append(parcel)
            if self._calls == CALLS:
                return
            self._calls += 1
        self._threads.submit(self._run)

    def _run(self) -> None:
        while parcels := self._gathered():
            try:
                self._bring(parcels)
            except PeerAway as away:
                for parcel in parcels:
                    parcel.perhaps = away.perhaps
            except Exception:
                log.exception("a peer could not be asked")
                for parcel in parcels:
                    parcel.perhaps = True
            _tell(parcels)

    def _gathered(self) -> list[Parcel]:
        """What has gathered, at least one parcel. Empty, and one call less, when there is nothing."""
        parcels: list[Parcel] = []
        count = 0
        with self._changing:
            while self._waiting and (not parcels or count + len(self._waiting[0].wishes) <= _TOGETHER):
                parcels.append(self._waiting.popleft())
                count += len(parcels[-1].wishes)
            if not parcels:
                self._calls -= 1
        return parcels

    def _bring(self, parcels: Sequence[Parcel]) -> None:
        within = max(parcel.deadline for parcel in parcels) - time.monotonic()
        if within <= 0:
            return
        outcomes = iter(self._send([wish for parcel in parcels for wish in parcel.wishes], within))
        for parcel in parcels:
            parcel.outcomes = [next(outcomes) for _ in parcel.wishes]


def _tell(parcels: Iterable[Parcel]) -> None:
    """Every thread that waits, and every loop once."""
    for parcel in parcels:
        parcel.done.set()
    wake([parcel.future for parcel in parcels if parcel.future is not None])
