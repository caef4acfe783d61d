"""Reading sessions: a psycopg connection from the pool, for as long as one question takes. It never commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine

from services.ledger.store.rows import Row
from shared.db.columns import register
from shared.db.errors import refusing_when_down


@contextmanager
def reading(engine: Engine) -> Iterator[psycopg.Cursor[Row]]:
    """A cursor in a transaction of its own that is rolled back. Raises DatabaseUnavailable when there is none."""
    with refusing_when_down():
        pooled = engine.raw_connection()
        try:
            driver = pooled.driver_connection
            if not isinstance(driver, psycopg.Connection):
                raise TypeError("the ledger needs psycopg")
            register(driver)
            with driver.cursor(binary=True) as cursor:
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
    with refusing_when_down(), engine.begin() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError("the ledger needs psycopg")
        register(driver)
        with driver.cursor(binary=True) as cursor:
            yield cursor
