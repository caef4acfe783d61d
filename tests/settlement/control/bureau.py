"""A settlement database and nothing in it: for what needs rows, but no journal. All connect as the application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from tests.support.databases import Databases

PATIENCE = 20.0


class Bureau:
    """One database. Only `tampering` is the superuser, who can do what nobody should."""

    def __init__(self, databases: Databases) -> None:
        self.settings = databases.fresh("settlement")
        self.address = databases.cluster.address(str(self.settings["database_name"]))
        self._databases = databases
        self.engine = make_engine(databases.service_settings(self.settings))
        self.sessions = Sessions(self.engine)

    def rows(self, question: str, *facts: object) -> list[tuple[object, ...]]:
        with self.tampering() as connection:
            return connection.execute(question.encode(), facts).fetchall()

    @contextmanager
    def tampering(self) -> Iterator[psycopg.Connection]:
        """The database as its superuser."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            yield connection

    def leave(self) -> None:
        self.engine.dispose()
        self._databases.drop(self.settings)
