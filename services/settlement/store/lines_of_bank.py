"""The bank's lines as people see them, and the match that a person makes."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, text

from services.settlement.domain.bank import AlreadyMatched, BankLineNotFound, LineDoesNotFit
from services.settlement.domain.evidence import Evidence, Rank, Verdict
from services.settlement.store import breaks, evidence, matching
from shared.instants import micros

_SELECT = """
SELECT l.id, encode(l.sha256, 'hex') AS file, l.part, l.is_credit, l.amount_minor, l.currency, l.booked_on, l.stated,
    l.end_to_end_id, l.reference, l.outcome, l.return_code, l.said_at,
    coalesce(array_agg(m.instruction ORDER BY m.instruction) FILTER (WHERE m.line IS NOT NULL), '{}') AS instructions
FROM settlement.bank_lines l LEFT JOIN settlement.bank_matches m ON m.line = l.id
"""
_PAGE = text(f"""{_SELECT}
WHERE l.id > :after AND (:outcome = '' OR l.outcome = :outcome) GROUP BY l.id ORDER BY l.id LIMIT :limit
""")
_ONE = text(f"{_SELECT} WHERE l.id = :id GROUP BY l.id")
_LOCKED = text("SELECT id FROM settlement.bank_lines WHERE id = :id FOR UPDATE")
_PAYMENT = text("""
SELECT name, kind, amount_minor, currency, batch FROM settlement.instructions WHERE name = :name FOR UPDATE
""")
_TAKEN = text("""
SELECT line FROM settlement.bank_matches
WHERE line = :line OR (instruction = :instruction AND verdict = :verdict AND stated = :stated)
""")
_MATCH = text("""
INSERT INTO settlement.bank_matches (line, instruction, verdict, stated, by, at)
VALUES (:line, :instruction, :verdict, :stated, :by, :at)
""")
_MATCHED = text("UPDATE settlement.bank_lines SET outcome = 'MATCHED' WHERE id = :id")
_STATED_ON = text("""
UPDATE settlement.instructions SET stated_on = :day WHERE name = :instruction AND stated_on IS NULL
""")
_COUNTS = text("""
SELECT outcome, count(*) AS lines FROM settlement.bank_lines WHERE sha256 = :sha256 GROUP BY outcome
""")
_PAPER = text("SELECT paper FROM settlement.bank_messages WHERE sha256 = :sha256")


class ShownLine(NamedTuple):
    """A line with what became of it. `file` is the hex SHA-256 of the file; the amount is signed minor units."""

    id: int
    file: str
    amount_minor: int
    currency: str
    booked_on: date
    stated: bool
    end_to_end_id: str
    reference: str
    outcome: str
    return_code: str
    instructions: tuple[str, ...]


def page(connection: Connection, after: int, limit: int, outcome: str) -> list[ShownLine]:
    """Lines in the order they came; an empty outcome lets all through."""
    rows = connection.execute(_PAGE, {"after": after, "limit": limit, "outcome": outcome})
    return [_shown(connection, row) for row in rows.all()]


def found(connection: Connection, line: int) -> ShownLine:
    """Raises BankLineNotFound."""
    row = connection.execute(_ONE, {"id": line}).first()
    if row is None:
        raise BankLineNotFound(name=f"bankLines/{line}")
    return _shown(connection, row)


def paper_of(connection: Connection, sha256: bytes) -> str:
    """How the standard of a file calls it."""
    return str(connection.execute(_PAPER, {"sha256": sha256}).scalar_one())


def counts(connection: Connection, sha256: bytes) -> dict[str, int]:
    """How many lines of a file have each outcome now."""
    return {row.outcome: row.lines for row in connection.execute(_COUNTS, {"sha256": sha256})}


def match(connection: Connection, line: int, instruction: str, by: str, at: datetime) -> int:
    """A person's match: the counterparty may differ, nothing else; answers with the batch concerned.

    Raises BankLineNotFound, LineDoesNotFit, AlreadyMatched.
    """
    connection.execute(_LOCKED, {"id": line})
    row = connection.execute(_ONE, {"id": line}).first()
    if row is None:
        raise BankLineNotFound(name=f"bankLines/{line}")
    payment = connection.execute(_PAYMENT, {"name": instruction}).first()
    is_pay = payment is not None and payment.kind == "PAY"
    fits = payment is not None and (payment.amount_minor, payment.currency) == (row.amount_minor, row.currency)
    verdict = Verdict.RETURNED if row.is_credit == is_pay else Verdict.BOOKED
    if payment is None or not fits or (verdict is Verdict.RETURNED and not row.return_code):
        raise LineDoesNotFit(line=f"bankLines/{line}", instruction=instruction)
    facts = {"line": line, "instruction": instruction, "verdict": verdict.value, "stated": row.stated}
    if connection.execute(_TAKEN, facts).first():
        raise AlreadyMatched(line=f"bankLines/{line}", instruction=instruction)
    connection.execute(_MATCH, {**facts, "by": by, "at": at})
    connection.execute(_MATCHED, {"id": line})
    if row.stated and verdict is Verdict.BOOKED:
        connection.execute(_STATED_ON, {"instruction": instruction, "day": row.booked_on})
    rank = Rank.RETURNED if verdict is Verdict.RETURNED else Rank.STATED if row.stated else Rank.ANNOUNCED
    said = Evidence(rank, verdict, micros(row.said_at), f"bankFiles/{row.file}/{row.part}", row.return_code)
    evidence.record(connection, [(instruction, said)], by, at)
    breaks.resolve_about(connection, [f"bankLines/{line}"], by, at)
    return int(payment.batch)


def _shown(connection: Connection, row: Row[tuple[object, ...]]) -> ShownLine:
    instructions = tuple(row.instructions)
    if row.outcome == "PROPOSED":
        instructions = tuple(matching.proposals(connection, row.id))
    return ShownLine(
        row.id,
        row.file,
        row.amount_minor if row.is_credit else -row.amount_minor,
        row.currency,
        row.booked_on,
        row.stated,
        row.end_to_end_id,
        row.reference,
        row.outcome,
        row.return_code,
        instructions,
    )
