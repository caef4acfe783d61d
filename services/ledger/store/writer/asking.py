"""Several questions in one round trip: psycopg's pipeline, with statements that are spelled for it once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count

import psycopg

from services.ledger.store.rows import Row
from shared.db.pipelines import pipelined

Cursor = psycopg.RawCursor[Row]


@lru_cache(maxsize=256)
def numbered(statement: str) -> bytes:
    """The statement with $1, $2, ...: psycopg would translate a long one anew each time."""
    number = count(1)
    return re.sub("%[sb]", lambda _: f"${next(number)}", statement).encode()


class Asking:
    """What is asked is answered when the block that it belongs to has ended."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def ask(self, statement: str, parameters: Sequence[object]) -> Cursor:
        """Send it. The cursor holds the answer later."""
        cursor = psycopg.RawCursor(self._connection)
        cursor.format = psycopg.pq.Format.BINARY
        return cursor.execute(numbered(statement), parameters, prepare=True)


@contextmanager
def asking(connection: psycopg.Connection[Row]) -> Iterator[Asking]:
    """One round trip. Raises what the first of the statements that failed raised."""
    with pipelined(connection):
        yield Asking(connection)
