"""Long work as rows: one for each thing that is to be done, when, how often it was tried and what stops it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, text

from shared.refusal import Kind, Refusal

_ASK = text("""
INSERT INTO settlement.steps (kind, subject, state, due_at, asked_at) VALUES (:kind, :subject, 'DUE', :due_at, :at)
ON CONFLICT (kind, subject) DO UPDATE SET state = 'DUE', due_at = least(EXCLUDED.due_at, CASE WHEN steps.state = 'DUE'
    THEN steps.due_at ELSE EXCLUDED.due_at END), done_at = NULL, blocked_because = '', retry_at = 'epoch',
    attempts = CASE WHEN steps.state = 'DUE' THEN steps.attempts ELSE 0 END
""")
_RETRY = text("""
UPDATE settlement.steps SET state = 'DUE', blocked_because = '', attempts = 0, retry_at = 'epoch'
WHERE kind = :kind AND subject = :subject AND state = 'BLOCKED' RETURNING *
""")
_ONE = text("SELECT * FROM settlement.steps WHERE kind = :kind AND subject = :subject")
_PAGE = text("""
SELECT * FROM settlement.steps
WHERE (kind, subject) > (:kind, :subject) AND (:state = '' OR state = :state)
ORDER BY kind, subject LIMIT :limit
""")


class StepNotFound(Refusal):
    """Nobody asked for it."""

    kind = Kind.NOT_THERE
    message = "There is no {step}."
    remedy = "List the steps."


class StepNotBlocked(Refusal):
    """It goes on by itself, or is done."""

    kind = Kind.NOT_NOW
    message = "{step} is {state}: only a blocked one waits for a person."
    remedy = "Read it again."


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of long work. `finished` of `total` parts are done; a fence of its own for each who takes it."""

    kind: str
    subject: str
    state: str
    due_at: datetime
    attempts: int
    fence: int
    blocked_because: str
    finished: int
    total: int
    asked_at: datetime
    done_at: datetime | None

    @property
    def name(self) -> str:
        return f"steps/{self.kind}/{self.subject}"


def ask(connection: Connection, kind: str, subject: str, *, due_at: datetime, at: datetime) -> None:
    """Have something done, in the transaction that makes it necessary. Asking again makes a done step due again."""
    connection.execute(_ASK, {"kind": kind, "subject": subject, "due_at": due_at, "at": at})


def retry(connection: Connection, kind: str, subject: str) -> Step:
    """A person saw why it is blocked, and lets it be tried again. Raises StepNotFound, StepNotBlocked."""
    row = connection.execute(_RETRY, {"kind": kind, "subject": subject}).one_or_none()
    if row is None:
        there = found(connection, kind, subject)
        raise StepNotBlocked(step=there.name, state=there.state)
    return step_of(row)


def found(connection: Connection, kind: str, subject: str) -> Step:
    """Raises StepNotFound."""
    row = connection.execute(_ONE, {"kind": kind, "subject": subject}).one_or_none()
    if row is None:
        raise StepNotFound(step=f"steps/{kind}/{subject}")
    return step_of(row)


def page(connection: Connection, after: tuple[str, str], limit: int, state: str = "") -> list[Step]:
    """Steps by kind and subject."""
    wanted = {"kind": after[0], "subject": after[1], "limit": limit, "state": state}
    return [step_of(row) for row in connection.execute(_PAGE, wanted)]


def step_of(row: Row[tuple[object, ...]]) -> Step:
    """A row of steps."""
    facts = row._mapping
    return Step(**{field: facts[field] for field in Step.__slots__})
