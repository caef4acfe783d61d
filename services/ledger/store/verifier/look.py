"""How a check looks at the database: all of it in one snapshot, or each page in one of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import psycopg
from sqlalchemy import Engine

from services.ledger.store.rows import Row
from services.ledger.store.session import reading

Look = Callable[[], AbstractContextManager[psycopg.Cursor[Row]]]
"""A cursor in a repeatable-read snapshot. What was seen in one look may be old news in the next."""

_ROWS = 1_000


@contextmanager
def snapshot(engine: Engine) -> Iterator[psycopg.Cursor[Row]]:
    """One moment of the database for as long as the block takes, however long it pauses."""
    with reading(engine) as cursor:
        settle(cursor)
        cursor.execute("SET TRANSACTION READ ONLY")
        yield cursor


def settle(cursor: psycopg.Cursor[Row]) -> None:
    """Make a transaction that has just begun fit for long reading: one moment, no hurry, long answers streamed."""
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    cursor.execute("SET LOCAL statement_timeout = 0")
    cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    cursor.execute("SET LOCAL work_mem = '32MB'")
    cursor.execute("SET LOCAL cursor_tuple_fraction = 1")  # what we stream we read to its end


def always(cursor: psycopg.Cursor[Row]) -> Look:
    """Every look is into the same snapshot."""
    return lambda: nullcontext(cursor)


def each_time(engine: Engine) -> Look:
    """Every look is a snapshot of its own: no old row is kept alive for long, so posting does not slow down."""
    return lambda: snapshot(engine)


def streamed(cursor: psycopg.Cursor[Row], name: str, statement: str, parameters: list[object]) -> Generator[Row]:
    """The rows of a long answer, a thousand at a time: neither we nor the driver ever hold all of it."""
    with cursor.connection.cursor(name, binary=True) as stream:
        stream.execute(statement, parameters)
        while rows := stream.fetchmany(_ROWS):
            yield from rows
