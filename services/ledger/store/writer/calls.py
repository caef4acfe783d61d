"""A call in the writer: its wishes, their outcomes as they come, and whoever waits for the last of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence

from services.ledger.domain.refusals import StillPosting
from services.ledger.domain.wish import Wish
from services.ledger.store.writer.batch import Outcome


class Call:
    """Wishes that somebody waits for, in a thread or, with a `future`, on an event loop. Outcomes come from lanes."""

    __slots__ = ("_answered", "_landing", "_left", "begun", "deadline", "future", "outcomes", "wishes")

    def __init__(self, wishes: Sequence[Wish], within: float, future: asyncio.Future[None] | None = None) -> None:
        self.wishes = wishes
        self.begun = time.monotonic()
        self.deadline = self.begun + within
        self.future = future
        self.outcomes: list[Outcome | None] = [None] * len(wishes)
        self._left = len(wishes)
        self._landing = threading.Lock()
        self._answered = threading.Lock()
        self._answered.acquire()

    def landed(self, count: int) -> bool:
        """So many outcomes more are there. Whether these were the last; then the thread that waits goes on."""
        with self._landing:
            self._left -= count
            if self._left:
                return False
        self._answered.release()
        return True

    def waited(self) -> list[Outcome]:
        """Block until all outcomes are there, or the deadline: what is missing then may yet be posted."""
        if self.wishes:
            self._answered.acquire(timeout=max(0.0, self.deadline - time.monotonic()))
        return self.settled()

    def settled(self) -> list[Outcome]:
        """The outcomes as far as they are there."""
        return [StillPosting() if outcome is None else outcome for outcome in self.outcomes]


Ticket = tuple[Call, int]
"""One wish in a queue: the call, and its place there."""


def answer(tickets: Sequence[Ticket], outcomes: Iterable[Outcome]) -> None:
    """Hand each its outcome; every loop on which calls have got their last is woken once."""
    counts: dict[Call, int] = defaultdict(int)
    for (call, index), outcome in zip(tickets, outcomes, strict=True):
        call.outcomes[index] = outcome
        counts[call] += 1
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = defaultdict(list)
    for call, count in counts.items():
        if call.landed(count) and call.future is not None:
            by_loop[call.future.get_loop()].append(call.future)
    for loop, futures in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, futures)
        except RuntimeError:  # the loop has ended: nobody waits there any more
            continue


def _resolve(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
