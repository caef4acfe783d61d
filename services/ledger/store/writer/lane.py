"""A lane: one thread with one connection that posts for its own buckets, in batches that form by themselves.

What is queued while one batch commits becomes the next batch. A lone request is posted at once; only while several
are coming does the lane linger a moment for more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
import structlog
from sqlalchemy import Engine
from sqlalchemy.pool import PoolProxiedConnection

from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals import JournalCorrupt, QueueFull, TooLate
from services.ledger.domain.wish import Wish
from services.ledger.store.rows import Row
from services.ledger.store.writer.transaction import Outcome, ReceiptClaimedMeanwhile, post
from shared.clock import Clock
from shared.db.columns import register
from shared.db.errors import Contention, DatabaseUnavailable, OutcomeUnknown, refusal_of
from shared.refusal import Kind, Refusal

log = structlog.get_logger(__name__)

_TRIES = 5
_PAUSE_SECONDS = 0.01
_RETRY_MS = 500


class Broken(Refusal):
    """Something that should not happen happened to this batch; the log has the rest."""

    kind = Kind.BUG
    message = "The ledger could not post this request."
    remedy = "Repeat with the same request id; if it persists, call the operator."


@dataclass(slots=True)
class Ticket:
    """A wish in the queue. `done` is set once `outcome` is there, after the commit."""

    wish: Wish
    deadline: float
    done: threading.Event
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """`queue`: wishes that may wait; `batch`: wishes in one transaction; `linger_ms`: how long to wait for company."""

    queue: int = 10_000
    batch: int = 500
    linger_ms: int = 2


@dataclass(slots=True)
class Lane:
    """Owns a disjoint set of buckets. Its transactions are the only ones that post to them."""

    name: str
    engine: Engine
    clock: Clock
    programme: Programme
    bucket_count: int
    limits: LaneLimits
    _queue: deque[Ticket] = field(default_factory=deque)
    _wakes: threading.Condition = field(default_factory=threading.Condition)
    _stopping: bool = False
    _pooled: PoolProxiedConnection | None = None
    _thread: threading.Thread | None = None
    _company: bool = False

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

    def put(self, tickets: Sequence[Ticket]) -> None:
        """Queue tickets, all or none. Raises QueueFull at once rather than letting callers wait in vain."""
        with self._wakes:
            if self._stopping or len(self._queue) + len(tickets) > self.limits.queue:
                raise QueueFull(waiting=len(self._queue), retry_after_ms=_RETRY_MS)
            self._queue.extend(tickets)
            self._wakes.notify()

    def _run(self) -> None:
        while tickets := self._gathered():
            outcomes = self._posted([ticket.wish for ticket in tickets])
            for ticket, outcome in zip(tickets, outcomes, strict=True):
                ticket.outcome = outcome
                ticket.done.set()
        self._hang_up()

    def _gathered(self) -> list[Ticket]:
        """The next batch, without what has outlived its deadline. Empty only when the lane ends."""
        while True:
            with self._wakes:
                while not self._queue and not self._stopping:
                    self._wakes.wait()
                if self._company and len(self._queue) < self.limits.batch and not self._stopping:
                    self._wakes.wait_for(self._is_full, timeout=self.limits.linger_ms / 1000)
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), self.limits.batch))]
            self._company = len(batch) > 1
            if not batch:
                return []
            now = time.monotonic()
            late = [ticket for ticket in batch if ticket.deadline <= now]
            for ticket in late:
                ticket.outcome = TooLate()
                ticket.done.set()
            if len(late) < len(batch):
                return [ticket for ticket in batch if ticket.deadline > now]

    def _is_full(self) -> bool:
        return self._stopping or len(self._queue) >= self.limits.batch

    def _posted(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """Nothing happened before the commit, so a lost connection is a reason to try the next one."""
        probe = False
        why: Refusal = Contention(retry_after_ms=_RETRY_MS)
        for attempt in range(_TRIES):
            time.sleep(attempt and _PAUSE_SECONDS * 2**attempt)
            try:
                return self._transaction(wishes, probe_receipts=probe)
            except ReceiptClaimedMeanwhile:
                probe = True
            except psycopg.Error as error:
                found = refusal_of(error)
                log.warning("posting failed", sqlstate=error.sqlstate, error=type(error).__name__)
                if found is None:
                    return self._one_by_one(wishes)
                if not isinstance(found, Contention | DatabaseUnavailable):
                    return [found] * len(wishes)
                why = found
            except JournalCorrupt as corrupt:
                log.error("journal corrupt", entry=str(corrupt.facts["entry"]), detail=str(corrupt))
                return [corrupt] if len(wishes) == 1 else self._one_by_one(wishes)
            except Refusal as refusal:
                return [refusal] * len(wishes)
            except Exception:
                log.exception("posting failed")
                return self._one_by_one(wishes)
        return [why] * len(wishes)

    def _one_by_one(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """A batch that fails as a whole is done again item by item, so that its neighbours do not pay for one."""
        if len(wishes) == 1:
            return [Broken()]
        return [outcome for wish in wishes for outcome in self._posted([wish])]

    def _transaction(self, wishes: Sequence[Wish], *, probe_receipts: bool) -> Sequence[Outcome]:
        connection = self._connection()
        try:
            now = self.programme.moment(self.clock.now())
            outcomes = post(connection, wishes, now, self.programme, self.bucket_count, probe_receipts=probe_receipts)
        except BaseException:
            self._rolled_back(connection)
            raise
        try:
            connection.commit()
        except psycopg.Error as error:
            self._hang_up()
            return self._after_a_broken_commit(wishes, error)
        return outcomes

    def _after_a_broken_commit(self, wishes: Sequence[Wish], error: psycopg.Error) -> Sequence[Outcome]:
        """The commit may have counted. Post again: request ids tell what did, and what did not is done now."""
        log.warning("commit of unknown fate", sqlstate=error.sqlstate)
        for pause in (0.05, 0.2, 0.5, 1.0):
            time.sleep(pause)
            try:
                return self._transaction_after_doubt(wishes)
            except (psycopg.Error, Refusal, ReceiptClaimedMeanwhile):
                self._hang_up()
        return [OutcomeUnknown(retry_after_ms=_RETRY_MS)] * len(wishes)

    def _transaction_after_doubt(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        connection = self._connection()
        now = self.programme.moment(self.clock.now())
        outcomes = post(connection, wishes, now, self.programme, self.bucket_count, probe_receipts=True)
        connection.commit()
        return outcomes

    def _connection(self) -> psycopg.Connection[Row]:
        """The lane's own connection, from the pool when there is none. Raises DatabaseUnavailable."""
        if self._pooled is None:
            try:
                self._pooled = self.engine.raw_connection()
            except Exception as error:
                raise refusal_of(error) or DatabaseUnavailable(retry_after_ms=_RETRY_MS) from error
            driver = self._pooled.driver_connection
            if not isinstance(driver, psycopg.Connection):
                raise TypeError("the ledger's writer needs psycopg")
            register(driver)
        connection = self._pooled.driver_connection
        assert isinstance(connection, psycopg.Connection)  # noqa: S101  checked when it was taken
        return connection

    def _rolled_back(self, connection: psycopg.Connection[Row]) -> None:
        try:
            connection.rollback()
        except psycopg.Error:
            self._hang_up()
        else:
            if connection.broken:
                self._hang_up()

    def _hang_up(self) -> None:
        if self._pooled is not None:
            self._pooled.invalidate()
            self._pooled = None
