"""What the database's own errors mean to a caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import psycopg.errors
import psycopg_pool
import sqlalchemy.exc

from shared.refusal import Kind, Refusal

_WAIT_MS = 500


class DatabaseUnavailable(Refusal):
    """The database is away, and nothing happened."""

    kind = Kind.DOWN
    message = "The service cannot reach its database right now."
    remedy = "Repeat the call with the same request id."


class DatabaseBusy(Refusal):
    """No connection became free in time."""

    kind = Kind.TOO_MUCH
    message = "The service has more to do than it can."
    remedy = "Wait a moment and repeat the call with the same request id."


class Contention(Refusal):
    """Others changed the same rows; our own retries are used up."""

    kind = Kind.CHANGED
    message = "Others are changing the same things."
    remedy = "Read again and repeat the call with the same request id."


class StatementTooSlow(Refusal):
    """The database gave up on a statement that outlived its time."""

    kind = Kind.TOO_LATE
    message = "The work did not end in the time that was left."
    remedy = "Repeat the call with the same request id and more time."


class OutcomeUnknown(Refusal):
    """A commit whose fate nobody could tell us. Raised by whoever could not look it up."""

    kind = Kind.CHANGED
    message = "The connection broke during the commit; whether it counted is not known yet."
    remedy = "Repeat the call with the same request id: it answers with what happened."


def refusal_of(error: BaseException) -> Refusal | None:
    """The refusal that a database error amounts to; None when it is a bug of ours."""
    if isinstance(error, sqlalchemy.exc.TimeoutError | psycopg_pool.PoolTimeout | psycopg_pool.TooManyRequests):
        return DatabaseBusy(retry_after_ms=_WAIT_MS)
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        lost = error.connection_invalidated
        cause = error.orig
        return DatabaseUnavailable(retry_after_ms=_WAIT_MS) if lost or cause is None else refusal_of(cause)
    if isinstance(error, psycopg.Error):
        return _of_sqlstate(error)
    return None


def _of_sqlstate(error: psycopg.Error) -> Refusal | None:
    match error.sqlstate:
        case None:
            lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
            return DatabaseUnavailable(retry_after_ms=_WAIT_MS) if lost else None
        case "57014":
            return StatementTooSlow()
        case "40001" | "40P01" | "55P03":
            return Contention(retry_after_ms=_WAIT_MS)
        case state if state[:2] in ("08", "53", "58") or state[:4] == "57P0" or state == "25006":
            # Lost, full, starting, stopping, or a standby that does not take writes (25006): all of them pass.
            return DatabaseUnavailable(retry_after_ms=_WAIT_MS)
        case _:
            return None


@contextmanager
def refusing_when_down() -> Iterator[None]:
    """Turn the database's troubles into refusals. For work that has left nothing behind when it fails.

    Around a COMMIT that is true only for callers who may ask again by request id.
    """
    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, psycopg.Error) as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error
