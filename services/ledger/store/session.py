"""The ledger's sessions: a cursor of the driver, for as long as one question takes, at the price of that question.

`shared.db.sessions` tells the database in a round trip of its own how long a call may take. A balance is one round trip
too, so here the limit is the one that the engine gave the connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine

from services.ledger.store.rows import Row
from shared.db.errors import refusing_when_down
from shared.db.sessions import cursor_of


@contextmanager
def reading(engine: Engine) -> Iterator[psycopg.Cursor[Row]]:
    """A cursor in a transaction of its own that is rolled back. Raises DatabaseUnavailable when there is none."""
    with refusing_when_down():
        pooled = engine.raw_connection()
        try:
            with cursor_of(pooled) as cursor:
                yield cursor
        except psycopg.OperationalError:
            pooled.invalidate()
            raise
        finally:
            if pooled.is_valid:
                pooled.close()


@contextmanager
def writing(engine: Engine) -> Iterator[psycopg.Cursor[Row]]:
    """A cursor in a transaction that is committed at the end: for what is not a posting (checkpoints, set-up)."""
    with refusing_when_down(), engine.begin() as connection, cursor_of(connection) as cursor:
        yield cursor
