"""A call in the writer: its wishes, their outcomes as they come, and whoever waits for the last of them."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from services.ledger.domain.refusals.requests import StillPosting
from services.ledger.domain.wish import Wish
from services.ledger.store.waking import Waiter, wake
from services.ledger.store.writer.batch import Outcome

_LANDING: Final = threading.Lock()
"""One for all calls: a lane has it for a subtraction, and a lock for each call would cost more than to wait for it."""


class Call:
    """Wishes that somebody waits for, in a thread or, with a `future`, on an event loop. Outcomes come from lanes."""

    __slots__ = ("_answered", "_left", "begun", "deadline", "future", "outcomes", "wishes")

    def __init__(self, wishes: Sequence[Wish], within: float, future: Waiter | None = None) -> None:
        self.wishes = wishes
        self.begun = time.monotonic()
        self.deadline = self.begun + within
        self.future = future
        self.outcomes: list[Outcome | None] = [None] * len(wishes)
        self._left = len(wishes)
        self._answered = threading.Event() if future is None else None

    def landed(self, count: int) -> bool:
        """So many outcomes more are there. Whether these were the last; then the thread that waits goes on."""
        with _LANDING:
            self._left -= count
            if self._left:
                return False
        if self._answered is not None:
            self._answered.set()
        return True

    def waited(self) -> list[Outcome]:
        """Block until all outcomes are there, or the deadline: what is missing then may yet be posted."""
        if self.wishes and self._answered is not None:
            self._answered.wait(max(0.0, self.deadline - time.monotonic()))
        return self.settled()

    def settled(self) -> list[Outcome]:
        """The outcomes as far as they are there."""
        return [StillPosting() if outcome is None else outcome for outcome in self.outcomes]


Ticket = tuple[Call, int]
"""One wish in a queue: the call, and its place there."""


def answer(tickets: Sequence[Ticket], outcomes: Iterable[Outcome]) -> None:
    """Hand each its outcome, and wake the callers who have got their last."""
    counts: dict[Call, int] = defaultdict(int)
    for (call, index), outcome in zip(tickets, outcomes, strict=True):
        call.outcomes[index] = outcome
        counts[call] += 1
    wake([call.future for call, count in counts.items() if call.landed(count) and call.future is not None])
