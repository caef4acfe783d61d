"""Adjustments as rows: proposed by one person, posted into the open window when another approves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.adjustment import (
    AdjustmentNotFound,
    Corrected,
    LineNotFound,
    check_left,
    corrected,
    in_money,
    subject_of,
)
from services.settlement.domain.machines import ADJUSTMENT
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.domain.window import Window
from services.settlement.store import books, own_journal, proposals, statements, transitions, windows
from services.settlement.store.contracts import price_book
from shared.canonical import Canonical

TABLE = "adjustments"
_LOCK = text("SELECT pg_advisory_xact_lock(11)")
_NEXT = text("SELECT coalesce(max(number), 0) + 1 FROM settlement.adjustments")
_INSERT = text("""
INSERT INTO settlement.adjustments (name, number, state, partner, window_number, line, quantity, in_money, reason,
    dispute, proposal, proposed_by, proposed_at)
VALUES (:name, :number, 'PROPOSED', :partner, :window_number, :line, :quantity, :in_money, :reason, :dispute,
    :proposal, :by, :at)
""")
_ADJUSTED = text("""
SELECT coalesce(sum(quantity), 0)::text FROM settlement.adjustments
WHERE window_number = :window_number AND partner = :partner AND line = :line AND in_money = :in_money
    AND state <> 'DECLINED'
""")
_ONE = text("SELECT * FROM settlement.adjustments WHERE name = :name")
_PAGE = text("SELECT * FROM settlement.adjustments WHERE number > :after ORDER BY number LIMIT :limit")
_POSTED = text("""
UPDATE settlement.adjustments SET posted_window = :window, posted_seq = :seq WHERE name = :name
""")


class Wanted(NamedTuple):
    """What somebody asks for: signed points, or signed minor units of the line's currency, for a line of a closed
    statement, counted from 1."""

    partner: str
    window: int
    line: int
    quantity: int
    in_money: bool
    reason: str


class Adjustment(NamedTuple):
    """One adjustment's row."""

    name: str
    number: int
    state: str
    etag: int
    wanted: Wanted
    dispute: str
    proposal: str
    proposed_by: str
    proposed_at: datetime
    posted_window: int | None
    posted_seq: int | None


def propose(
    connection: Connection, wanted: Wanted, by: str, at: datetime, request_id: UUID | None = None, dispute: str = ""
) -> Adjustment:
    """Raises StatementNotFound, LineNotFound, CountsMoney, AdjustsTooMuch."""
    connection.execute(_LOCK)
    found_ = line_of_statement(connection, wanted)
    facts = wanted._asdict() | {"window_number": wanted.window}
    check_left(
        found_.line, int(connection.execute(_ADJUSTED, facts).scalar_one()), wanted.quantity, money=wanted.in_money
    )
    number = int(connection.execute(_NEXT).scalar_one())
    name = f"adjustments/{number}"
    content: Canonical = {
        "currency": found_.line.key.currency,
        "dispute": dispute,
        "counts": "MINOR_UNITS" if wanted.in_money else "POINTS",
        "line": wanted.line,
        "line_name": found_.line.key.name,
        "partner": wanted.partner,
        "quantity": wanted.quantity,
        "reason": wanted.reason,
        "version": str(found_.key.version),
        "window": wanted.window,
    }
    proposal = proposals.propose(connection, Kind.ADJUSTMENT, name, content, by, at, request_id)
    transitions.begin(connection, ADJUSTMENT, name, "PROPOSED", "ProposeAdjustment", by=by, why=wanted.reason, at=at)
    more = {"name": name, "number": number, "dispute": dispute, "proposal": proposal.name, "by": by, "at": at}
    connection.execute(_INSERT, {**facts, **more})
    return found(connection, name)


def post(connection: Connection, name: str, by: str, at: datetime) -> Adjustment:
    """The effect of an approved proposal: a line of its own in the open window, at the original's version."""
    one = found(connection, name)
    transitions.move(connection, ADJUSTMENT, TABLE, name, "APPROVED", "Approve", by=by, at=at)
    key = line_of_statement(connection, one.wanted).key
    subject = subject_of(name, money=one.wanted.in_money)
    window, seq = own_journal.append(connection, subject, key, one.wanted.quantity, at)
    connection.execute(_POSTED, {"name": name, "window": window, "seq": seq})
    transitions.move(connection, ADJUSTMENT, TABLE, name, "POSTED", "post", by=by, at=at)
    return found(connection, name)


def declined(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of a declined proposal."""
    name = proposal.subject
    transitions.move(connection, ADJUSTMENT, TABLE, name, "DECLINED", "Decline", by=by, why=proposal.why, at=at)


def found(connection: Connection, name: str) -> Adjustment:
    """Raises AdjustmentNotFound."""
    row = connection.execute(_ONE, {"name": name}).mappings().first()
    if row is None:
        raise AdjustmentNotFound(name=name)
    return _adjustment(row)


def page(connection: Connection, after: int, limit: int) -> list[Adjustment]:
    """Adjustments by number."""
    return [_adjustment(row) for row in connection.execute(_PAGE, {"after": after, "limit": limit}).mappings()]


def line_of_statement(connection: Connection, wanted: Wanted) -> Corrected:
    """The line that an adjustment is about, and how it counts. Raises StatementNotFound, LineNotFound, CountsMoney."""
    statement = statements.found(connection, wanted.partner, wanted.window)
    window: Window = windows.found(connection, f"windows/{wanted.window}")
    own = [
        line
        for line in books.lines_of_window(connection, wanted.window)
        if wanted.partner in {line.key.debtor, line.key.creditor}
    ]
    if not 0 < wanted.line <= len(own):
        raise LineNotFound(statement=f"partners/{wanted.partner}/statements/{statement.number}", line=wanted.line)
    line, book = own[wanted.line - 1], price_book(connection, window.versions_known)
    if wanted.in_money:
        assert window.to is not None  # noqa: S101  only closed windows have statements
        return in_money(line, window.to.created_at, book)
    return corrected(line, wanted.line, books.rollups(connection, wanted.window), book)


def _adjustment(row: RowMapping) -> Adjustment:
    values: dict[str, Any] = dict(row)
    wanted = Wanted(row["partner"], row["window_number"], row["line"], row["quantity"], row["in_money"], row["reason"])
    fields = {key: values[key] for key in Adjustment._fields if key != "wanted"}
    return Adjustment(wanted=wanted, **fields)
