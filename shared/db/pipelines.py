"""psycopg's pipeline, sent at one go, and after which the database still notices that a transaction sleeps.

psycopg asks the operating system before and after each statement whether the socket is ready. Each time it lets go of
the interpreter, and among busy threads it takes milliseconds to get it back, while the database waits for the rest.
libpq need not be asked: what the socket does not take yet it keeps, and sends at the end of the block at the latest.

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
from psycopg.generators import send


class _Pipeline(psycopg.Pipeline):
    def _communicate_gen(self) -> PQGen[None]:
        while self.command_queue:
            self.command_queue.popleft()()
        yield from ()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        yield from send(self.pgconn)
        yield from super()._fetch_gen(flush=False)


@contextmanager
def pipelined(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """One round trip for all statements of the block. Raises what the first of them that failed raised."""
    connection._pipeline = _Pipeline(connection)
    with connection.pipeline():
        yield
