"""What the database lets each role do: immutability is a grant, not a promise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from shared.credentials.files import read_password
from tests.settlement.paper import day, terms
from tests.settlement.store.office import Office
from tests.support.databases import Databases

SELECT, INSERT, UPDATE, DELETE, TRUNCATE = VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")

READ_AND_ADD = {SELECT, INSERT}
READ_ADD_CHANGE = {SELECT, INSERT, UPDATE}
ALLOWED: dict[str, set[str]] = {
    "contract_versions": READ_AND_ADD,
    "windows": READ_ADD_CHANGE,
    "buckets": READ_ADD_CHANGE,
    "obligations": READ_AND_ADD,
    "rollups": READ_ADD_CHANGE,
    "window_counts": READ_ADD_CHANGE,
    "suspense": {SELECT, INSERT, DELETE},
    "lines": READ_AND_ADD,
    "nets": READ_AND_ADD,
    "statements": READ_AND_ADD,
}
STATEMENTS = {
    SELECT: "SELECT 1 FROM {table} WHERE false",
    INSERT: "INSERT INTO {table} SELECT * FROM {table} WHERE false",
    UPDATE: "UPDATE {table} SET {column} = {column} WHERE false",
    DELETE: "DELETE FROM {table} WHERE false",
    TRUNCATE: "TRUNCATE {table}",
}
PASSWORDS = {"settlement_app": "database_password_file", "settlement_ro": "reader_password_file"}


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Office]:
    """With something in every table that is for ever."""
    one = Office(databases)
    one.publish("acorn", terms(since=day(-1)))
    one.paper.award(100)
    one.closed(day(1))
    yield one
    one.leave()


@pytest.fixture(scope="module", params=PASSWORDS)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def connection(office: Office, role: str) -> Iterator[psycopg.Connection]:
    with _connected(office, role) as connection:
        yield connection


def _connected(office: Office, role: str) -> psycopg.Connection:
    settings = office.settings
    return psycopg.connect(
        host=str(settings["database_host"]),
        port=int(str(settings["database_port"])),
        dbname=str(settings["database_name"]),
        user=role,
        password=read_password(Path(str(settings[PASSWORDS[role]]))),
        autocommit=True,
    )


def _permitted(connection: psycopg.Connection, verb: str, table: str) -> bool:
    (column,) = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [f"settlement.{table}"]
    ).fetchone() or ("",)
    statement = sql.SQL(STATEMENTS[verb]).format(
        table=sql.Identifier("settlement", table), column=sql.Identifier(column)
    )
    try:
        connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:  # 42501
        return False
    return True


@pytest.mark.parametrize("table", ALLOWED)
def test_a_role_may_do_what_its_row_says_and_nothing_else(
    connection: psycopg.Connection, role: str, table: str
) -> None:
    allowed = ALLOWED[table] if role == "settlement_app" else {SELECT}
    assert {verb for verb in VERBS if _permitted(connection, verb, table)} == allowed


def test_every_table_has_its_row(office: Office) -> None:
    rows = office.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'settlement'")
    assert {table for (table,) in rows} - {"alembic_version"} == set(ALLOWED)


@pytest.mark.parametrize("table", ["contract_versions", "obligations", "lines", "nets", "statements"])
@pytest.mark.parametrize("verb", [UPDATE, DELETE])
def test_what_is_booked_can_be_neither_changed_nor_taken_away(office: Office, table: str, verb: str) -> None:
    before = office.rows(f"SELECT * FROM settlement.{table}")
    assert before, "there is something to lose"
    statement = f"DELETE FROM settlement.{table}" if verb == DELETE else f"UPDATE settlement.{table} SET partner = 'x'"
    with _connected(office, "settlement_app") as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
            connection.execute(statement.encode())
        assert refused.value.sqlstate == "42501"
    assert office.rows(f"SELECT * FROM settlement.{table}") == before


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE settlement.statements ADD COLUMN note text",
        "DROP TABLE settlement.statements",
        "CREATE TABLE settlement.more (a int)",
        "CREATE RULE hidden AS ON INSERT TO settlement.lines DO INSTEAD NOTHING",
        "SET ROLE settlement_owner",
        "UPDATE settlement.alembic_version SET version_num = '9999'",
    ],
)
def test_the_application_cannot_change_its_own_limits(office: Office, statement: str) -> None:
    with _connected(office, "settlement_app") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())
