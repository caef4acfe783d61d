"""Requests that were answered: the same id with the same meaning gets the first answer, with another none."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from services.settlement.domain.refusals import RequestIdReused

# Two calls with one id wait for each other, so that the second finds the answer of the first.
_LOCK = text("SELECT pg_advisory_xact_lock(5, hashtext(CAST(:request_id AS text)))")
_FIRST = text("SELECT method, body_sha256, name FROM settlement.requests WHERE request_id = :request_id")
_REMEMBER = text("""
INSERT INTO settlement.requests (request_id, method, body_sha256, name, at)
VALUES (:request_id, :method, :body_sha256, :name, :at)
""")


def once(connection: Connection, request_id: UUID, method: str, body_sha256: bytes) -> str | None:
    """The name that the first answer had, or None for a request that is new. First thing in its transaction.

    `body_sha256` is of the request's meaning, not of its bytes. Raises RequestIdReused.
    """
    connection.execute(_LOCK, {"request_id": request_id})
    first = connection.execute(_FIRST, {"request_id": request_id}).one_or_none()
    if first is None:
        return None
    if (first.method, bytes(first.body_sha256)) != (method, body_sha256):
        raise RequestIdReused(request_id=request_id, first=first.name)
    return str(first.name)


def remember(
    connection: Connection, request_id: UUID, method: str, body_sha256: bytes, name: str, at: datetime
) -> None:
    """Note the answer, in the transaction that made it."""
    facts = {"request_id": request_id, "method": method, "body_sha256": body_sha256, "name": name, "at": at}
    connection.execute(_REMEMBER, facts)
