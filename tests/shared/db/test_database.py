"""Roles, engines, migrations and lost connections, against a real PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from shared.credentials.files import write_secret
from shared.db import migrate
from shared.db.engine import database_url, limit_statements, make_engine, make_single_engine
from shared.db.errors import (
    Contention,
    DatabaseBusy,
    DatabaseUnavailable,
    StatementTooSlow,
    refusal_of,
    refusing_when_down,
)
from shared.db.roles import RolePasswords, ensure_database
from shared.refusal import Kind
from shared.settings import ServiceSettings
from tests.support.databases import Databases

ENV = """
from shared.db.migrate import run_here

run_here()
"""
FIRST = """
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.execute("CREATE TABLE stamps.card (id int PRIMARY KEY, points int NOT NULL CHECK (points >= 0))")
    op.execute("GRANT SELECT, INSERT ON stamps.card TO stamps_app")


def downgrade():
    op.execute("DROP TABLE stamps.card")
"""
SECOND = """
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.execute("ALTER TABLE stamps.card ADD COLUMN note text")


def downgrade():
    op.execute("ALTER TABLE stamps.card DROP COLUMN note")
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of the tests' own with two migrations."""
    folder = tmp_path_factory.mktemp("tree")
    versions = folder / "test_services" / "stamps" / "migrations" / "versions"
    versions.mkdir(parents=True)
    for path in (versions.parents[2], versions.parents[1]):
        (path / "__init__.py").write_text("")
    (versions.parent / "env.py").write_text(ENV)
    (versions / "0001_cards.py").write_text(FIRST)
    (versions / "0002_notes.py").write_text(SECOND)
    sys.path.insert(0, str(folder))
    yield "test_services.stamps"
    sys.path.remove(str(folder))


@pytest.fixture
def settings(databases: Databases) -> Iterator[ServiceSettings]:
    facts = databases.empty("stamps")
    yield databases.service_settings({**facts, "database_pool": 2, "database_pool_wait_seconds": 1})
    databases.drop(facts)


@pytest.fixture
def engine(settings: ServiceSettings, package: str) -> Iterator[Engine]:
    migrate.upgrade(package, settings)
    engine = make_engine(settings)
    yield engine
    engine.dispose()


def test_creating_a_database_twice_changes_nothing_and_renews_passwords(
    databases: Databases, settings: ServiceSettings, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO stamps.card VALUES (1, 5)"))
    files = (settings.owner_password_file, settings.database_password_file, settings.reader_password_file)
    passwords = RolePasswords(*(file or Path() for file in files))
    for _ in range(2):
        ensure_database(databases.cluster.address(), "stamps", passwords, database=settings.database_name)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT points FROM stamps.card")).scalar_one() == 5


@pytest.mark.parametrize("role", ["owner", "app", "ro"])
def test_each_role_logs_in_with_its_own_password(settings: ServiceSettings, role: str) -> None:
    engine = make_single_engine(settings, role)  # type: ignore[arg-type]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == f"stamps_{role}"


def test_a_new_password_is_taken_up_without_a_restart(
    databases: Databases, settings: ServiceSettings, engine: Engine
) -> None:
    file = settings.database_password_file
    assert file
    old = file.read_bytes()
    with engine.connect():
        pass
    passwords = RolePasswords(settings.owner_password_file or Path(), file)
    try:
        for content in (b"a new one\n", old):
            write_secret(file, content)
            ensure_database(databases.cluster.address(), "stamps", passwords, database=settings.database_name)
            engine.dispose()
            with engine.connect() as connection:
                assert connection.execute(text("SELECT current_user")).scalar_one() == "stamps_app"
    finally:
        write_secret(file, old)


def test_passwords_are_kept_as_scram_verifiers(databases: Databases, settings: ServiceSettings) -> None:
    with psycopg.connect(databases.cluster.address()) as admin:
        rows = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'stamps_%'").fetchall()
    assert len(rows) == 3
    assert all(password.startswith("SCRAM-SHA-256$") for (password,) in rows)


@pytest.mark.parametrize(
    "verb",
    [
        "UPDATE stamps.card SET points = 0",
        "DELETE FROM stamps.card",
        "TRUNCATE stamps.card",
        "CREATE TABLE stamps.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "UPDATE stamps.alembic_version SET version_num = 'x'",
        "ALTER TABLE stamps.card DISABLE TRIGGER ALL",
    ],
)
def test_the_application_can_only_what_a_migration_granted(engine: Engine, verb: str) -> None:
    with engine.connect() as connection, pytest.raises(ProgrammingError) as caught:
        connection.execute(text(verb))
    assert isinstance(caught.value.orig, InsufficientPrivilege)


def test_nobody_else_may_connect(databases: Databases, settings: ServiceSettings) -> None:
    other = databases.service_settings(databases.empty("coupons"))
    elsewhere = other.model_copy(update={"database_name": settings.database_name})
    with pytest.raises(OperationalError, match="permission denied for database"):
        make_single_engine(elsewhere, "app").connect()


def test_a_second_upgrade_does_nothing_and_downgrade_goes_back(
    settings: ServiceSettings, engine: Engine, package: str
) -> None:
    assert migrate.at_head(package, engine)
    migrate.upgrade(package, settings)
    migrate.downgrade(package, settings, "0001")
    assert not migrate.at_head(package, engine)
    migrate.upgrade(package, settings)
    assert migrate.at_head(package, engine)


def test_a_schema_that_was_never_migrated_is_not_at_head(settings: ServiceSettings, package: str) -> None:
    engine = make_engine(settings)
    assert not migrate.at_head(package, engine)
    engine.dispose()


def test_code_is_ready_on_a_schema_newer_than_itself(settings: ServiceSettings, engine: Engine, package: str) -> None:
    owner = make_single_engine(settings)
    with owner.begin() as connection:
        connection.execute(text("UPDATE stamps.alembic_version SET version_num = '0003'"))
    assert migrate.at_head(package, engine)


def test_the_whole_tree_can_be_read_as_sql(package: str) -> None:
    written = migrate.as_sql(package)
    assert "CREATE TABLE stamps.card" in written
    assert "ADD COLUMN note" in written


def test_connections_say_who_they_are_and_live_in_utc(settings: ServiceSettings, engine: Engine) -> None:
    with engine.connect() as connection:
        show = {
            name: connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("application_name", "timezone", "statement_timeout", "search_path")
        }
    assert show == {
        "application_name": f"{settings.database_name}/app",
        "timezone": "UTC",
        "statement_timeout": "10s",
        "search_path": "stamps",
    }


def test_a_statement_ends_with_the_time_of_its_call(engine: Engine) -> None:
    with engine.connect() as connection:
        limit_statements(connection, 0.05)
        with pytest.raises(StatementTooSlow), refusing_when_down():
            connection.execute(text("SELECT pg_sleep(5)"))
    with engine.begin() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "10s"


def test_a_full_pool_is_too_much(engine: Engine) -> None:
    with engine.connect(), engine.connect(), pytest.raises(DatabaseBusy), refusing_when_down():
        engine.connect()


def test_a_killed_connection_is_down_and_the_pool_recovers(databases: Databases, engine: Engine) -> None:
    def kill() -> None:
        with psycopg.connect(databases.cluster.address(), autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'stamps_app'")

    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        kill()
        with pytest.raises(DatabaseUnavailable) as caught, refusing_when_down():
            connection.execute(text("SELECT 1"))
    assert caught.value.kind is Kind.DOWN
    kill()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_server_that_is_not_there_is_down(settings: ServiceSettings, tmp_path: Path) -> None:
    for host in (str(tmp_path), "127.0.0.1"):
        gone = settings.model_copy(update={"database_host": host, "database_port": 1})
        with pytest.raises(DatabaseUnavailable), refusing_when_down():
            make_single_engine(gone, "app").connect()


def test_two_who_want_the_same_row_are_told_to_try_again(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO stamps.card VALUES (1, 5)"))
    with engine.begin() as first, engine.begin() as second:
        first.execute(text("SELECT pg_advisory_xact_lock(1)"))
        second.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(Contention), refusing_when_down():
            second.execute(text("SELECT pg_advisory_xact_lock(1)"))


def test_a_broken_rule_is_a_bug_and_not_the_databases_trouble(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as caught, refusing_when_down(), engine.begin() as connection:
        connection.execute(text("INSERT INTO stamps.card VALUES (1, -5)"))
    assert refusal_of(caught.value) is None
    assert "-5" not in str(caught.value).split("DETAIL")[0]


def test_a_host_gets_tcp_and_a_folder_gets_a_socket(settings: ServiceSettings) -> None:
    tcp = database_url(settings.model_copy(update={"database_host": "db.example"}))
    assert (tcp.host, tcp.query) == ("db.example", {})
    socket = database_url(settings.model_copy(update={"database_host": "/run/pg"}))
    assert (socket.host, socket.query) == (None, {"host": "/run/pg"})
    assert "***" in repr(socket)


@pytest.mark.parametrize("name", ["Stamps", "a b", "", 'x"; DROP', "1st"])
def test_what_cannot_name_a_schema_is_refused(databases: Databases, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a schema"):
        ensure_database(databases.cluster.address(), name, RolePasswords(Path("x"), Path("x")))
