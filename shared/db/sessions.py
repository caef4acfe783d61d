"""Transactions: one `with` to read, one to write, never longer than the call may last, and what a broken one means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

import psycopg
import sqlalchemy.exc
from sqlalchemy import Connection, Engine, PoolProxiedConnection

from shared.db.columns import register
from shared.db.engine import limit_statements
from shared.db.errors import DatabaseUnavailable, OutcomeUnknown, refusal_of

_WAIT_MS = 500
_REHEARSED: ContextVar[Connection | None] = ContextVar("rehearsed", default=None)
"""The transaction in which this thread does everything, to undo it."""


class _Undone(Exception):
    """Ends a rehearsal."""


class Sessions:
    """A service's database, as transactions with an end.

    In a rehearsal every transaction of the thread is a part of one that is undone at its end: later ones see what
    earlier ones did, one that raises leaves nothing, and of none anything stays.
    """

    def __init__(self, engine: Engine) -> None:
        self._writing = engine
        self._reading = engine.execution_options(postgresql_readonly=True)
        self._snapshot = self._reading.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def reading(self, within: float) -> Iterator[Connection]:
        """A transaction that the database itself keeps from writing; it takes at most `within` seconds."""
        with _refusing(self._reading, within) as connection:
            yield connection

    @contextmanager
    def snapshot(self, within: float) -> Iterator[Connection]:
        """A reading transaction that sees one moment from its first question to its last, however long it pauses."""
        with _refusing(self._snapshot, within) as connection:
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection

    @contextmanager
    def writing(self, within: float) -> Iterator[Connection]:
        """A transaction that counts as a whole at the end of the block or, when anything is raised, not at all."""
        with _refusing(self._writing, within) as connection:
            yield connection

    @contextmanager
    def rehearsing(self, within: float) -> Iterator[None]:
        """What this thread does to the database in the block is done and undone; it takes at most `within` seconds."""
        with suppress(_Undone), self.writing(within) as connection:
            token = _REHEARSED.set(connection)
            try:
                yield
            finally:
                _REHEARSED.reset(token)
            raise _Undone


def cursor_of(connection: Connection | PoolProxiedConnection) -> psycopg.Cursor[tuple[object, ...]]:
    """The driver's cursor of a transaction, for set-based statements with packed columns."""
    pooled = connection.connection if isinstance(connection, Connection) else connection
    driver = pooled.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("this needs psycopg")
    register(driver)
    return driver.cursor(binary=True)


@contextmanager
def _refusing(engine: Engine, within: float) -> Iterator[Connection]:
    """Whatever breaks before the commit has left nothing behind; of what breaks in it nobody knows."""
    committing = False
    rehearsed = _REHEARSED.get()
    try:
        with engine.begin() if rehearsed is None else _part_of(rehearsed) as connection:
            limit_statements(connection, within)
            yield connection
            committing = True
    except (sqlalchemy.exc.SQLAlchemyError, psycopg.Error) as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        if committing and isinstance(refusal, DatabaseUnavailable):
            raise OutcomeUnknown(retry_after_ms=_WAIT_MS) from error
        raise refusal from error


@contextmanager
def _part_of(rehearsed: Connection) -> Iterator[Connection]:
    with rehearsed.begin_nested():
        yield rehearsed
