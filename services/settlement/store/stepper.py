"""The stepper: takes one due step, does it in one transaction, writes the outcome beside it. Again and again.

A step is taken in a transaction of its own: that counts the attempt, so that one which kills its process is not tried
for ever, and gives out a fencing number. The work then holds the step's row, so while it runs nobody else takes it, and
when its process dies the database lets go of the row at once. Who comes back from a long sleep finds another number in
the row and does nothing. Any number of steppers may run, and a person may drive the same step.

Retries and leases count in the database's time, which is one for all processes; what is due is due by the business
clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import Connection, text

from services.settlement.store.steps import Step, step_of
from shared.clock import Clock
from shared.db.errors import DatabaseUnavailable, OutcomeUnknown
from shared.db.sessions import Sessions
from shared.log import get_logger
from shared.refusal import Refusal

log = get_logger()

MOST_ATTEMPTS: Final = 8
_LEASE_SECONDS: Final = 2
_WORK_SECONDS: Final = 600.0
_QUESTION_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.5
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 60.0

_CLAIM = text("""
WITH next AS (
    SELECT kind, subject FROM settlement.steps
    WHERE state = 'DUE' AND due_at <= :at AND kind = ANY(:kinds) AND retry_at <= now() AND lease_until <= now()
    ORDER BY due_at, kind, subject LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE settlement.steps s
SET lease_until = now() + make_interval(secs => :lease), fence = s.fence + 1, attempts = s.attempts + 1
FROM next WHERE s.kind = next.kind AND s.subject = next.subject RETURNING s.*
""")
_HOLD = text("""
SELECT fence FROM settlement.steps
WHERE kind = :kind AND subject = :subject AND state = 'DUE' AND fence = :fence FOR UPDATE
""")
_DONE = text("""
UPDATE settlement.steps SET state = 'DONE', done_at = :at, lease_until = 'epoch', attempts = 0,
    finished = greatest(finished, total)
WHERE kind = :kind AND subject = :subject
""")
_ON = text("""
UPDATE settlement.steps SET due_at = :due_at, lease_until = 'epoch', attempts = 0,
    finished = :finished, total = :total
WHERE kind = :kind AND subject = :subject
""")
_FAILED = text("""
UPDATE settlement.steps SET lease_until = 'epoch', retry_at = now() + make_interval(secs => :pause),
    state = CASE WHEN attempts >= :most OR :for_good THEN 'BLOCKED' ELSE 'DUE' END, blocked_because = :why
WHERE kind = :kind AND subject = :subject AND state = 'DUE' AND fence = :fence
""")


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left of it."""


@dataclass(frozen=True, slots=True)
class GoOn:
    """One part is done, the next is due then; `finished` of `total` are done."""

    due_at: datetime
    finished: int = 0
    total: int = 0


class Blocked(Exception):
    """What a handler raises when trying again cannot help: a person must look. Nothing of its work counts."""


Handler: TypeAlias = "Callable[[Connection, Step, datetime], Done | GoOn]"
"""Does one small part of the work in the transaction it is given. What it raises undoes the part, which is retried."""


class Stepper:
    """Runs the handlers, each for the kind of steps it stands under.

    `look` comes before the first step, and again after the database was away: whoever comes back may be a restored one.
    """

    def __init__(
        self,
        sessions: Sessions,
        handlers: Mapping[str, Handler],
        clock: Clock,
        look: Callable[[Connection, datetime], None] = lambda _connection, _at: None,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self._sessions = sessions
        self._handlers = handlers
        self._clock = clock
        self._look = look
        self._looked = False
        self._most_attempts = most_attempts
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stepper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._bell.set()
        self._thread.join(timeout=_WORK_SECONDS)

    def hurry(self) -> None:
        """There may be something to do now."""
        self._bell.set()

    def one(self) -> bool:
        """Do the next due step, if there is one; whether there was."""
        at = self._clock.now()
        if not self._looked:
            with self._sessions.writing(_WORK_SECONDS) as connection:
                self._look(connection, at)
            self._looked = True
        with self._sessions.writing(_QUESTION_SECONDS) as connection:
            facts = {"at": at, "kinds": sorted(self._handlers), "lease": _LEASE_SECONDS}
            row = connection.execute(_CLAIM, facts).one_or_none()
        if row is None:
            return False
        self._do(step_of(row), at)
        return True

    def _do(self, step: Step, at: datetime) -> None:
        try:
            with self._sessions.writing(_WORK_SECONDS) as connection:
                self._work(connection, step, at)
        except OutcomeUnknown:
            self._looked = False
            log.warning("nobody knows whether a step counted", step=step.name)  # its row does, when it is due again
        except Blocked as blocked:
            self._failed(step, str(blocked), for_good=True)
        except Refusal as refusal:
            self._looked = self._looked and not isinstance(refusal, DatabaseUnavailable)
            self._failed(step, f"{refusal.reason}: {refusal}", for_good=False)
        except Exception as error:
            log.exception("step failed", step=step.name)
            self._failed(step, f"{type(error).__name__}; the log of settlement has the rest", for_good=False)

    def _work(self, connection: Connection, step: Step, at: datetime) -> None:
        which = {"kind": step.kind, "subject": step.subject}
        if connection.execute(_HOLD, {**which, "fence": step.fence}).one_or_none() is None:
            return  # somebody else has taken it meanwhile
        match self._handlers[step.kind](connection, step, at):
            case Done():
                connection.execute(_DONE, {**which, "at": at})
            case GoOn(due_at, finished, total):
                connection.execute(_ON, {**which, "due_at": due_at, "finished": finished, "total": total})

    def _failed(self, step: Step, why: str, *, for_good: bool) -> None:
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (step.attempts - 1), _LONGEST_PAUSE_SECONDS)
        facts = {
            "kind": step.kind,
            "subject": step.subject,
            "fence": step.fence,
            "pause": pause,
            "most": self._most_attempts,
            "for_good": for_good,
            "why": why,
        }
        log.warning("step postponed", step=step.name, attempt=step.attempts)
        with suppress(Refusal), self._sessions.writing(_QUESTION_SECONDS) as connection:
            connection.execute(_FAILED, facts)  # while the database is away the lease ends by itself

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self.one()
            except Refusal as refusal:
                self._looked = False
                log.warning("stepper waits", reason=refusal.reason)
                busy = False
            except Exception:
                log.exception("stepper failed")
                busy = False
            if not busy:
                self._bell.wait(_POLL_SECONDS)
                self._bell.clear()
