"""Real PostgreSQL for tests that need tables and no services: a server per test process, a database whenever one asks.

def test_...(databases: Databases) -> None:
    settings = databases.fresh("ledger")          # migrated; what ServiceSettings asks about a database
    engine = make_engine(LedgerSettings(**settings, ...))
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from services.sandbox.home import Home, made
from services.sandbox.keys import ensure_password
from services.sandbox.postgres.cluster import Cluster
from shared.db.migrate import upgrade
from shared.db.roles import RolePasswords, ensure_database
from shared.settings import ServiceSettings

_ROLES = {"owner": "owner_user", "app": "database_user", "ro": "reader_user"}


class Databases:
    """Makes databases; each is a test's own. The roles are those of production, so grants are tested as they are."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self._folder = folder
        self._migrated: dict[str, str] = {}

    def empty(self, service: str, template: str = "") -> dict[str, object]:
        """A database with its roles and schema, not migrated: the settings that lead to it. A template is copied."""
        passwords = {role: self._folder / f"{service}_{role}" for role in _ROLES}
        for file in passwords.values():
            ensure_password(file)
        name = f"{service}_{uuid.uuid4().hex[:12]}"
        roles = RolePasswords(passwords["owner"], passwords["app"], passwords["ro"])
        if template:
            self._copy(template, name)
        ensure_database(self.cluster.address(), service, roles, database=name)
        return {
            "database_host": self.cluster.host,
            "database_port": self.cluster.port,
            "database_name": name,
            "database_user": f"{service}_app",
            "database_password_file": passwords["app"],
            "owner_user": f"{service}_owner",
            "owner_password_file": passwords["owner"],
            "reader_user": f"{service}_ro",
            "reader_password_file": passwords["ro"],
            "database_tls": "disable",
        }

    def fresh(self, service: str) -> dict[str, object]:
        """A database of its own with the newest schema: migrated once for each server, then copied."""
        if service not in self._migrated:
            settings = self.empty(service)
            upgrade(f"services.{service}", self.service_settings(settings))
            self._migrated[service] = str(settings["database_name"])
        return self.empty(service, self._migrated[service])

    def _copy(self, template: str, name: str) -> None:
        with psycopg.connect(self.cluster.address(), autocommit=True) as admin:
            command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            admin.execute(command.format(sql.Identifier(name), sql.Identifier(template)))

    def service_settings(self, settings: dict[str, object]) -> ServiceSettings:
        """The same as `ServiceSettings`, for what needs only the database; the files it names for TLS do not exist."""
        nowhere = self._folder / "nowhere"
        files = ("ca_file", "certificate_file", "key_file", "token_keys_folder")
        return ServiceSettings.model_validate({**dict.fromkeys(files, nowhere), **settings})

    def drop(self, settings: dict[str, object]) -> None:
        """Take a database away, whoever is connected."""
        with psycopg.connect(self.cluster.address(), autocommit=True) as admin:
            name = sql.Identifier(str(settings["database_name"]))
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def databases_in(folder: Path, say: Callable[[str], None] = print) -> Iterator[Databases]:
    """A PostgreSQL that runs while the block does."""
    home = Home(folder)
    made(home)
    password = home.secrets / "postgres"
    ensure_password(password)
    cluster = Cluster(home, password)
    cluster.start(say)
    try:
        yield Databases(cluster, home.secrets)
    finally:
        cluster.stop()
