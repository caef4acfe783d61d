"""psycopg's pipeline, after which the database still notices that a transaction sleeps.

psycopg ends a pipeline with a Sync, which makes the database answer everything, and then sends a Flush beside it. That
Flush counts as a message: PostgreSQL stops the clock of `idle_in_transaction_session_timeout` for it and does not start
it again, so a process that falls asleep there keeps its locks for good. The Sync alone does all that is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import PQGen


class _Pipeline(psycopg.Pipeline):
    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        yield from super()._fetch_gen(flush=False)


@contextmanager
def pipelined(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """One round trip for all statements of the block. Raises what the first of them that failed raised."""
    connection._pipeline = _Pipeline(connection)
    with connection.pipeline():
        yield
