"""A lane: one thread with one connection that posts what is dealt to it, in batches that form by themselves.

What is queued while one batch commits becomes the next batch. A lone request is posted at once; only while several
are coming does the lane linger a moment for more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.ledger.domain.refusals.requests import QueueFull, TooLate
from services.ledger.store.gauges import UNOBSERVED, Observed
from services.ledger.store.writer.calls import Ticket, answer
from services.ledger.store.writer.posting import Posting

_RETRY_MS = 500
_SILENCE = 10
"""Times the longest linger."""


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """`queue`: wishes that may wait; `batch`: wishes in one transaction; `linger_ms`: how long to wait for company."""

    queue: int = 10_000
    batch: int = 500
    linger_ms: int = 3


@dataclass(slots=True)
class Lane:
    """A queue and the thread that empties it."""

    name: str
    posting: Posting
    limits: LaneLimits
    observed: Observed = UNOBSERVED
    _queue: deque[Ticket] = field(default_factory=deque)
    _wakes: threading.Condition = field(default_factory=threading.Condition)
    _stopping: bool = False
    _wakes_at: int = 0
    _thread: threading.Thread | None = None
    _expected: int = 1
    _working: int = 0

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Post what is queued, then end."""
        with self._wakes:
            self._stopping = True
            self._wakes.notify()
        if self._thread:
            self._thread.join()

    def is_alive(self) -> bool:
        """Whether somebody posts what is put here."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Wishes in the queue."""
        return len(self._queue)

    @property
    def load(self) -> int:
        """Wishes in the queue and in work."""
        return len(self._queue) + self._working

    def put(self, tickets: Sequence[Ticket]) -> None:
        """Queue tickets, all or none. Raises QueueFull at once rather than letting callers wait in vain."""
        with self._wakes:
            if self._stopping or len(self._queue) + len(tickets) > self.limits.queue:
                raise QueueFull(waiting=len(self._queue), retry_after_ms=_RETRY_MS)
            self._queue.extend(tickets)
            if 0 < self._wakes_at <= len(self._queue):
                self._wakes.notify()

    def _run(self) -> None:
        while tickets := self._gathered():
            began = time.monotonic()
            self._working = len(tickets)
            outcomes = self.posting.outcomes([call.wishes[index] for call, index in tickets])
            self._working = 0
            answer(tickets, outcomes)
            self.observed.batch(len(tickets), began - tickets[0][0].begun, time.monotonic() - began)
        self.posting.hang_up()

    def _gathered(self) -> list[Ticket]:
        """The next batch, without what has outlived its deadline. Empty only when the lane ends."""
        while True:
            with self._wakes:
                if not self._queue:
                    self._wait()
                if self._expected > len(self._queue):
                    self._linger()
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), self.limits.batch))]
            # Those who were answered ask for more: as many as lately are on their way again, most likely.
            self._expected = max(len(batch), self._expected * 7 // 8)
            if not batch:
                return []
            now = time.monotonic()
            late = [ticket for ticket in batch if ticket[0].deadline <= now]
            if not late:
                return batch
            answer(late, [TooLate()] * len(late))
            if len(late) < len(batch):
                return [ticket for ticket in batch if ticket[0].deadline > now]

    def _wait(self) -> None:
        """Until there is something. After a while of silence nobody expects company."""
        since = time.monotonic()
        while not self._queue and not self._stopping:
            self._sleep(1, None)
        if time.monotonic() - since > _SILENCE * self.limits.linger_ms / 1000:
            self._expected = 1

    def _linger(self) -> None:
        until = time.monotonic() + self.limits.linger_ms / 1000
        enough = min(self._expected, self.limits.batch)
        while len(self._queue) < enough and not self._stopping:
            left = until - time.monotonic()
            if left <= 0:
                return
            self._sleep(enough, left)

    def _sleep(self, count: int, seconds: float | None) -> None:
        """Until so many wait: to be woken by each would cost more than to post it."""
        self._wakes_at = count
        self._wakes.wait(seconds)
        self._wakes_at = 0
