"""Breaks as rows: found once, moved by the table of their machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.breaks import STOPS, BreakNotFound, BreakReason, EndsByStatement, Found
from services.settlement.domain.machines import BREAK
from services.settlement.domain.proposal import Kind
from services.settlement.store import proposals, transitions

TABLE = "breaks"
_FOUND = text("""
INSERT INTO settlement.breaks (name, number, reason, subject, state, batch, instruction, currency, amount_minor, detail,
    account, expected_minor, found_minor, found_by, found_at)
SELECT 'breaks/' || n.number, n.number, :reason, :subject, 'OPEN', :batch, :instruction, :currency, :amount_minor,
    :detail, :account, :expected_minor, :found_minor, :by, :at
FROM (SELECT coalesce(max(number), 0) + 1 AS number FROM settlement.breaks) AS n
ON CONFLICT (reason, subject) DO NOTHING RETURNING name
""")
_LOCK = text("SELECT pg_advisory_xact_lock(9)")
_ONE = text("SELECT * FROM settlement.breaks WHERE name = :name")
_PAGE = text("""
SELECT * FROM settlement.breaks WHERE number > :after AND (NOT :pending OR state IN ('OPEN', 'EXPLAINED'))
ORDER BY number LIMIT :limit
""")
_PENDING = text("""
SELECT * FROM settlement.breaks WHERE reason = ANY(:reasons) AND state IN ('OPEN', 'EXPLAINED') ORDER BY number
""")
_ABOUT = text("""
SELECT name FROM settlement.breaks WHERE subject = ANY(:subjects) AND state IN ('OPEN', 'EXPLAINED') ORDER BY number
""")
_NOT_BOOKED = text("""
SELECT name FROM settlement.breaks
WHERE reason = 'NOT_BOOKED' AND subject = ANY(:subjects) AND state IN ('OPEN', 'EXPLAINED') ORDER BY number
""")
_OF_BATCH = text("""
SELECT count(*) FROM settlement.breaks WHERE batch = :batch AND state IN ('OPEN', 'EXPLAINED')
""")
_EXPLAINED = text("UPDATE settlement.breaks SET explanation = :explanation WHERE name = :name")


class Break(NamedTuple):
    """One break. The amount is in minor units, 0 where none is in doubt."""

    name: str
    number: int
    reason: BreakReason
    subject: str
    state: str
    etag: int
    batch: int | None
    instruction: str
    currency: str
    amount_minor: int
    detail: str
    explanation: str
    account: str
    expected_minor: int
    found_minor: int
    found_by: str
    found_at: datetime

    @property
    def stops_releases(self) -> bool:
        """Whether nothing is released in its currency now."""
        return self.state in STOPS.get(self.reason, ())

    @property
    def where(self) -> str:
        """What is not as expected: an account of ours, else that whose currency the subject names."""
        return self.account or self.subject.rpartition("/")[0]


def lock(connection: Connection) -> None:
    """From here to the end of the transaction nobody else opens a break."""
    connection.execute(_LOCK)


def open_all(connection: Connection, found: Iterable[Found], by: str, at: datetime) -> list[str]:
    """Open what is not there yet; answers with the names of the new ones."""
    names: list[str] = []
    for one in found:
        if not names:
            lock(connection)  # numbers have no gaps
        facts = {**one._asdict(), "reason": one.reason.value, "by": by, "at": at}
        name = connection.execute(_FOUND, facts).scalar()
        if name is not None:
            transitions.begin(connection, BREAK, name, "OPEN", "found", by=by, why=one.reason.value, at=at)
            names.append(name)
    return names


def found(connection: Connection, name: str) -> Break:
    """Raises BreakNotFound."""
    row = connection.execute(_ONE, {"name": name}).mappings().first()
    if row is None:
        raise BreakNotFound(name=name)
    return _break(row)


def page(connection: Connection, after: int, limit: int, *, pending: bool) -> list[Break]:
    """Breaks by number; `pending`: only those that nobody has resolved."""
    rows = connection.execute(_PAGE, {"after": after, "limit": limit, "pending": pending})
    return [_break(row) for row in rows.mappings()]


def pending(connection: Connection, reasons: Collection[BreakReason]) -> list[Break]:
    """Those of these reasons that nobody has resolved, oldest first."""
    rows = connection.execute(_PENDING, {"reasons": sorted(reason.value for reason in reasons)})
    return [_break(row) for row in rows.mappings()]


def unresolved(connection: Connection, batch: int) -> int:
    """How many breaks of a batch keep it from being settled."""
    return int(connection.execute(_OF_BATCH, {"batch": batch}).scalar_one())


def resolve_about(connection: Connection, subjects: list[str], by: str, at: datetime, evidence: bytes = b"") -> None:
    """Evidence has come for these subjects: their breaks are over."""
    for name in connection.execute(_ABOUT, {"subjects": subjects}).scalars().all():
        transitions.move(connection, BREAK, TABLE, name, "RESOLVED", "evidence", by=by, evidence=evidence, at=at)


def booked_after_all(connection: Connection, instructions: Sequence[str], by: str, at: datetime) -> None:
    """The bank shows what it had accepted and not shown."""
    found_ = connection.execute(_NOT_BOOKED, {"subjects": list(instructions)}).scalars().all()
    for name in found_:
        transitions.move(connection, BREAK, TABLE, name, "RESOLVED", "evidence", by=by, at=at)


def explain(connection: Connection, name: str, explanation: str, etag: int | None, by: str, at: datetime) -> None:
    """A person says what it is. Raises BreakNotFound, TransitionRefused, EtagMismatch."""
    found(connection, name)
    transitions.move(
        connection, BREAK, TABLE, name, "EXPLAINED", "ExplainBreak", by=by, why=explanation, at=at, etag=etag
    )
    connection.execute(_EXPLAINED, {"name": name, "explanation": explanation})


def refute(connection: Connection, name: str, why: str, etag: int | None, by: str, at: datetime) -> None:
    """It is not what a person said it is. Raises BreakNotFound, TransitionRefused, EtagMismatch.

    What was said stands in its transitions; a proposal to write it off for that reason is void.
    """
    found(connection, name)
    transitions.move(connection, BREAK, TABLE, name, "OPEN", "RefuteBreak", by=by, why=why, at=at, etag=etag)
    connection.execute(_EXPLAINED, {"name": name, "explanation": ""})
    proposals.void(connection, Kind.WRITE_OFF, name, by=by, at=at, why="the explanation was refuted")


def resolve(
    connection: Connection, name: str, why: str, evidence: bytes, etag: int | None, by: str, at: datetime
) -> None:
    """A person has evidence, or an adjustment.

    Raises BreakNotFound, EndsByStatement, TransitionRefused, EtagMismatch.
    """
    check_ends(found(connection, name))
    transitions.move(
        connection, BREAK, TABLE, name, "RESOLVED", "ResolveBreak", by=by, why=why, evidence=evidence, at=at, etag=etag
    )


def write_off(connection: Connection, name: str, why: str, by: str, at: datetime) -> None:
    """The effect of an approved proposal. Raises BreakNotFound, EndsByStatement, TransitionRefused."""
    check_ends(found(connection, name))
    transitions.move(connection, BREAK, TABLE, name, "WRITTEN_OFF", "WriteOffBreak", by=by, why=why, at=at)


def check_ends(one: Break) -> None:
    """Whether a person may end it. Raises EndsByStatement: who explains it ends nothing either."""
    if "EXPLAINED" in STOPS.get(one.reason, ()):
        raise EndsByStatement(name=one.name, reason=one.reason.value, account=one.account)


def _break(row: RowMapping) -> Break:
    values: dict[str, Any] = {key: row[key] for key in Break._fields}
    return Break(**{**values, "reason": BreakReason(row["reason"])})
