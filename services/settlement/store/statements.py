"""Statements as they were signed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from services.settlement.domain.refusals import StatementNotFound

_ONE = text("""
SELECT window_number, document, sha256, currency, net_minor, created_at FROM settlement.statements
WHERE partner = :partner AND window_number = :number
""")
_PAGE = text("""
SELECT window_number, ''::bytea AS document, sha256, currency, net_minor, created_at FROM settlement.statements
WHERE partner = :partner AND window_number > :after ORDER BY window_number LIMIT :limit
""")


class Stored(NamedTuple):
    """A statement's row; a page leaves the document out."""

    number: int
    document: bytes
    sha256: bytes
    currency: str
    net_minor: int
    created_at: datetime


def found(connection: Connection, partner: str, number: int) -> Stored:
    """Raises StatementNotFound."""
    row = connection.execute(_ONE, {"partner": partner, "number": number}).first()
    if row is None:
        raise StatementNotFound(statement=f"partners/{partner}/statements/{number}")
    return _stored(row)


def page(connection: Connection, partner: str, after: int, limit: int) -> list[Stored]:
    """A partner's statements by window."""
    return [_stored(row) for row in connection.execute(_PAGE, {"partner": partner, "after": after, "limit": limit})]


def _stored(row: Row[Any]) -> Stored:
    return Stored(row.window_number, row.document, row.sha256, row.currency, int(row.net_minor), row.created_at)
