"""Writes that fail: for as long as it lasts, the database refuses rows of a table, as one whose disk is full does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import psycopg

_TROUBLE = """
CREATE FUNCTION settlement.trouble() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER trouble BEFORE INSERT OR UPDATE ON settlement.{table} FOR EACH ROW WHEN ({row})
    EXECUTE FUNCTION settlement.trouble()
"""


class House(Protocol):
    """Whatever has a database of its own."""

    def tampering(self) -> AbstractContextManager[psycopg.Connection]: ...


@contextmanager
def failing(house: House, table: str, row: str) -> Iterator[None]:
    """`row`: which rows, as SQL over NEW."""
    with house.tampering() as connection:
        connection.execute(_TROUBLE.format(table=table, row=row).encode())
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION settlement.trouble() CASCADE")
