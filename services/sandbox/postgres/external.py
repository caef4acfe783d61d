"""A PostgreSQL that somebody else runs: COALITION_DATABASE_URL names it and an administrator of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from services.sandbox.refusals import PostgresTooOld, PostgresUnreachable

OLDEST = 160000
_PASSED_ON = {"sslmode": "database_tls", "sslrootcert": "database_ca_file"}


class External:
    """Found, never started or stopped."""

    def __init__(self, url: str) -> None:
        try:
            self._parameters = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
            self.port = int(self._parameters.get("port", "5432"))
        except (psycopg.Error, ValueError):
            raise PostgresUnreachable(
                why="it is not the address of one server (postgresql://user@host:port/)"
            ) from None
        self.host = self._parameters.get("host", "127.0.0.1")

    @property
    def settings(self) -> Mapping[str, str]:
        """How the services are to connect besides host and port."""
        given = self._parameters
        return {setting: given[name] for name, setting in _PASSED_ON.items() if name in given}

    @property
    def pid(self) -> int | None:
        """Not one of ours."""
        return None

    def running(self) -> bool:
        """Whether it answers."""
        try:
            self.start(say=lambda _: None)
        except PostgresUnreachable:
            return False
        return True

    def start(self, say: Callable[[str], None]) -> None:
        """Only see whether it answers and is new enough."""
        say("asking the PostgreSQL that COALITION_DATABASE_URL names")
        try:
            with psycopg.connect(self.address(), connect_timeout=10) as connection:
                version = connection.info.server_version
        except psycopg.OperationalError as error:
            raise PostgresUnreachable(why=" ".join(str(error).split()).rstrip(".?")) from None
        if version < OLDEST:
            raise PostgresTooOld(found=version // 10000)

    def stop(self) -> bool:
        """It is not ours to stop."""
        return False

    def address(self, database: str | None = None) -> str:
        """What libpq needs to reach it as its administrator."""
        parameters = {**self._parameters, "host": self.host, "port": str(self.port)}
        parameters["dbname"] = database or parameters.get("dbname", "postgres")
        return make_conninfo("", **parameters)
