"""What the roles of the database may do, table by table and verb by verb."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from shared.credentials.files import read_password
from tests.support.databases import Databases

MAY = {
    "earn_rules": {"SELECT", "INSERT"},
    "purchases": {"SELECT", "INSERT", "DELETE"},
    "refunds": {"SELECT", "INSERT", "DELETE"},
}
COLUMNS = {
    "purchases": {"standing", "entry_bucket", "entry_seq", "clawed_back"},
    "refunds": {"standing", "entry_bucket", "entry_seq", "recovered", "written_off"},
}
ATTEMPTS = {
    "SELECT": "SELECT * FROM catalogue.{} WHERE false",
    "INSERT": "INSERT INTO catalogue.{0} SELECT * FROM catalogue.{0} WHERE false",
    "DELETE": "DELETE FROM catalogue.{} WHERE false",
    "TRUNCATE": "TRUNCATE catalogue.{}",
    "UPDATE": "UPDATE catalogue.{} SET partner = partner WHERE false",
}


@pytest.fixture(scope="module")
def settings(databases: Databases) -> dict[str, object]:
    return databases.fresh("catalogue")


def connected(databases: Databases, settings: dict[str, object], who: str) -> psycopg.Connection:
    password = read_password(settings[{"app": "database_password_file", "ro": "reader_password_file"}[who]])  # type: ignore[arg-type]
    address = make_conninfo(
        host=databases.cluster.host,
        port=databases.cluster.port,
        dbname=str(settings["database_name"]),
        user=f"catalogue_{who}",
        password=password,
    )
    return psycopg.connect(address, autocommit=True)


@pytest.fixture(scope="module")
def app(databases: Databases, settings: dict[str, object]) -> Iterator[psycopg.Connection]:
    with connected(databases, settings, "app") as connection:
        yield connection


@pytest.fixture(scope="module")
def reader(databases: Databases, settings: dict[str, object]) -> Iterator[psycopg.Connection]:
    with connected(databases, settings, "ro") as connection:
        yield connection


def allowed(connection: psycopg.Connection, statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize("table", MAY)
@pytest.mark.parametrize("verb", ATTEMPTS)
def test_the_application_has_the_verbs_it_needs_and_no_others(app: psycopg.Connection, table: str, verb: str) -> None:
    assert allowed(app, ATTEMPTS[verb].format(table)) == (verb in MAY[table])


@pytest.mark.parametrize("table", MAY)
def test_the_application_changes_how_far_a_thing_has_come_and_nothing_else(app: psycopg.Connection, table: str) -> None:
    found = app.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'catalogue' AND table_name = %s",
        [table],
    )
    columns = {str(name) for (name,) in found.fetchall()}
    statement = f"UPDATE catalogue.{table} SET {{0}} = {{0}} WHERE false"
    assert {column for column in columns if allowed(app, statement.format(column))} == COLUMNS.get(table, set())


@pytest.mark.parametrize("table", MAY)
@pytest.mark.parametrize("verb", ATTEMPTS)
def test_the_reader_reads(reader: psycopg.Connection, table: str, verb: str) -> None:
    assert allowed(reader, ATTEMPTS[verb].format(table)) == (verb == "SELECT")
