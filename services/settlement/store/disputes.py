"""Disputes as rows: opened by the partner, answered by the operator, adjusted by two persons."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.dispute import DisputeNotFound, DisputeReason, DisputeTooLate, check_upheld
from services.settlement.domain.machines import DISPUTE
from services.settlement.domain.proposal import Proposal
from services.settlement.store import adjustments, statements, steps, transitions, windows
from services.settlement.store.adjustments import Wanted
from services.settlement.store.contracts import price_book
from services.settlement.store.stepper import Done
from services.settlement.store.steps import Step
from shared.instants import micros

TABLE = "disputes"
OVERDUE = "OVERDUE_DISPUTE"
SELF = "service/settlement"
_DAY = 86_400_000_000
_LOCK = text("SELECT pg_advisory_xact_lock(12)")
_NEXT = text("SELECT coalesce(max(number), 0) + 1 FROM settlement.disputes")
_INSERT = text("""
INSERT INTO settlement.disputes (name, number, state, partner, window_number, line, reason, points, statement,
    opened_by, opened_at, answer_due_at)
VALUES (:name, :number, 'OPEN', :partner, :window, :line, :reason, :points, :statement, :by, :at, :due_at)
""")
_ONE = text("SELECT * FROM settlement.disputes WHERE name = :name")
_PAGE = text("""
SELECT * FROM settlement.disputes WHERE number > :after AND (:partner = '' OR partner = :partner)
ORDER BY number LIMIT :limit
""")
_ANSWER = text("""
UPDATE settlement.disputes SET answer = :answer, answered_by = :by, upheld = :upheld, adjustment = :adjustment
WHERE name = :name
""")


class Dispute(NamedTuple):
    """One dispute's row. `points` is what the partner asks for, signed; `upheld` what it got."""

    name: str
    number: int
    state: str
    etag: int
    partner: str
    window_number: int
    line: int
    reason: str
    points: int
    statement: str
    opened_by: str
    opened_at: datetime
    answer_due_at: datetime
    answer: str
    answered_by: str
    upheld: int
    adjustment: str


class Objection(NamedTuple):
    """What a partner objects to: a line of its statement, counted from 1, the points that it asks for, and why."""

    partner: str
    window: int
    line: int
    points: int
    reason: DisputeReason
    statement: str


def open_(connection: Connection, one: Objection, answer_within: timedelta, by: str, at: datetime) -> Dispute:
    """Raises StatementNotFound, LineNotFound, CountsMoney, DisputeTooLate."""
    connection.execute(_LOCK)
    wanted = Wanted(one.partner, one.window, one.line, one.points, in_money=False, reason=one.reason.value)
    adjustments.line_of_statement(connection, wanted)
    _check_in_time(connection, one, at)
    number = int(connection.execute(_NEXT).scalar_one())
    name, due_at = f"disputes/{number}", at + answer_within
    facts = {**one._asdict(), "reason": one.reason.value, "name": name, "number": number}
    connection.execute(_INSERT, {**facts, "by": by, "at": at, "due_at": due_at})
    transitions.begin(connection, DISPUTE, name, "OPEN", "OpenDispute", by=by, why=one.reason.value, at=at)
    steps.ask(connection, OVERDUE, name, due_at=due_at, at=at)
    return found(connection, name)


def accept(
    connection: Connection, name: str, points: int, answer: str, etag: int | None, by: str, at: datetime
) -> Dispute:
    """Whole or in part: an adjustment of the points is proposed. Raises MoreThanDisputed, TransitionRefused."""
    one = found(connection, name)
    check_upheld(points, one.points)
    _move(connection, name, "ACCEPTED", "AnswerDispute", etag, by, answer, at)
    wanted = Wanted(one.partner, one.window_number, one.line, points, in_money=False, reason=answer)
    adjustment = adjustments.propose(connection, wanted, by, at, dispute=name)
    facts = {"name": name, "answer": answer, "by": by, "upheld": points, "adjustment": adjustment.name}
    connection.execute(_ANSWER, facts)
    return found(connection, name)


def reject(connection: Connection, name: str, answer: str, etag: int | None, by: str, at: datetime) -> Dispute:
    """Raises DisputeNotFound, TransitionRefused."""
    found(connection, name)
    _move(connection, name, "REJECTED", "AnswerDispute", etag, by, answer, at)
    connection.execute(_ANSWER, {"name": name, "answer": answer, "by": by, "upheld": 0, "adjustment": ""})
    _move(connection, name, "CLOSED", "answered", None, by, "", at)
    return found(connection, name)


def escalate(connection: Connection, name: str, why: str, etag: int | None, by: str, at: datetime) -> Dispute:
    """Raises DisputeNotFound, TransitionRefused."""
    found(connection, name)
    _move(connection, name, "ESCALATED", "EscalateDispute", etag, by, why, at)
    return found(connection, name)


def withdraw(connection: Connection, name: str, etag: int | None, by: str, at: datetime) -> Dispute:
    """Raises DisputeNotFound, TransitionRefused."""
    found(connection, name)
    _move(connection, name, "CLOSED", "WithdrawDispute", etag, by, "", at)
    return found(connection, name)


def adjusted(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of an approved ADJUSTMENT: posted, and the dispute that it came from is over."""
    posted = adjustments.post(connection, proposal.subject, by, at)
    if posted.dispute:
        _move(connection, posted.dispute, "CLOSED", "posted", None, by, posted.name, at)


def overdue(connection: Connection, step: Step, at: datetime) -> Done:
    """A step: nobody has answered in time."""
    one = found(connection, step.subject)
    if one.state == "OPEN" and one.answer_due_at <= at:
        _move(connection, one.name, "ESCALATED", "overdue", None, SELF, "", at)
    return Done()


def found(connection: Connection, name: str, partner: str = "") -> Dispute:
    """Another partner's dispute is not there. Raises DisputeNotFound."""
    row = connection.execute(_ONE, {"name": name}).mappings().first()
    if row is None or (partner and row["partner"] != partner):
        raise DisputeNotFound(name=name)
    return _dispute(row)


def page(connection: Connection, after: int, limit: int, partner: str = "") -> list[Dispute]:
    """Disputes by number; of one partner, or all."""
    rows = connection.execute(_PAGE, {"after": after, "limit": limit, "partner": partner})
    return [_dispute(row) for row in rows.mappings()]


def _check_in_time(connection: Connection, one: Objection, at: datetime) -> None:
    window = windows.found(connection, f"windows/{one.window}")
    signed_at = statements.found(connection, one.partner, one.window).created_at
    book = price_book(connection, window.versions_known)
    version = book.in_force(one.partner, window.to.created_at) if window.to else None
    days = book.terms(version).dispute_days if version else 0
    if days and micros(at) - micros(signed_at) > days * _DAY:  # a contract may give more days than a calendar has
        until = (signed_at + timedelta(days=days)).date()
        raise DisputeTooLate(statement=f"partners/{one.partner}/statements/{one.window}", until=until)


def _move(
    connection: Connection, name: str, to: str, act: str, etag: int | None, by: str, why: str, at: datetime
) -> None:
    transitions.move(connection, DISPUTE, TABLE, name, to, act, by=by, why=why, at=at, etag=etag)


def _dispute(row: RowMapping) -> Dispute:
    values: dict[str, Any] = {key: row[key] for key in Dispute._fields}
    return Dispute(**values)
