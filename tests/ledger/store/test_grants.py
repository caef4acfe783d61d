"""What the database lets each role do: immutability is a grant, not a promise."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from shared.credentials.files import read_password
from tests.ledger.store.vault import Vault, award, wallet_in

SELECT, INSERT, UPDATE, DELETE, TRUNCATE = VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")

READ_AND_ADD = {SELECT, INSERT}
READ_ADD_CHANGE = {SELECT, INSERT, UPDATE}
READ_ADD_REMOVE = {SELECT, INSERT, DELETE}
ALLOWED: dict[str, set[str]] = {
    "deployment": READ_AND_ADD,
    "heads": READ_ADD_CHANGE,
    "entries": READ_AND_ADD,
    "postings": READ_AND_ADD,
    "requests": READ_AND_ADD,
    "receipts": READ_AND_ADD,
    "wallets": READ_ADD_CHANGE,
    "lots": READ_ADD_CHANGE,
    "holds": READ_ADD_CHANGE,
    "redemptions": READ_ADD_CHANGE,
    "checkpoints": READ_AND_ADD,
    "tree_nodes": READ_AND_ADD,
    "landmarks": READ_AND_ADD,
    "aliases": READ_AND_ADD,
    "transfers": READ_ADD_CHANGE,
    "adjustments": READ_ADD_CHANGE,
    "leases": READ_ADD_CHANGE,
    "processes": READ_ADD_CHANGE | {DELETE},
    "slices": READ_ADD_CHANGE,
    "allowances": READ_ADD_CHANGE,
    "policies": READ_ADD_CHANGE,
    "freezes": READ_ADD_REMOVE,
}
STATEMENTS = {
    SELECT: "SELECT 1 FROM {table} WHERE false",
    INSERT: "INSERT INTO {table} SELECT * FROM {table} WHERE false",
    UPDATE: "UPDATE {table} SET {column} = {column} WHERE false",
    DELETE: "DELETE FROM {table} WHERE false",
    TRUNCATE: "TRUNCATE {table}",
}


def _connected(vault: Vault, role: str) -> psycopg.Connection:
    settings = vault.settings
    user, file = {
        "app": ("database_user", "database_password_file"),
        "ro": ("reader_user", "reader_password_file"),
    }[role]
    return psycopg.connect(
        host=str(settings["database_host"]),
        port=int(str(settings["database_port"])),
        dbname=str(settings["database_name"]),
        user=str(settings[user]),
        password=read_password(settings[file]),  # type: ignore[arg-type]  # the dictionary's values are objects
        autocommit=True,
    )


@pytest.fixture(scope="module", params=["app", "ro"])
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def connection(vault: Vault, role: str) -> Iterator[psycopg.Connection]:
    with _connected(vault, role) as connection:
        yield connection


def _permitted(connection: psycopg.Connection, verb: str, table: str) -> bool:
    (column,) = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [f"ledger.{table}"]
    ).fetchone() or ("",)
    statement = sql.SQL(STATEMENTS[verb]).format(table=sql.Identifier("ledger", table), column=sql.Identifier(column))
    try:
        connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:  # 42501
        return False
    return True


@pytest.mark.parametrize("table", ALLOWED)
def test_a_role_may_do_what_its_row_says_and_nothing_else(
    connection: psycopg.Connection, role: str, table: str
) -> None:
    allowed = ALLOWED[table] if role == "app" else {SELECT}
    assert {verb for verb in VERBS if _permitted(connection, verb, table)} == allowed


def test_every_table_has_its_row(vault: Vault) -> None:
    with vault.tampering() as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition"
        ).fetchall()
    assert {table for (table,) in rows} - {"alembic_version"} == set(ALLOWED)


def test_nobody_may_do_anything_with_a_partition(vault: Vault, connection: psycopg.Connection) -> None:
    """Whoever reads or adds does it through the whole; what was posted last month is as safe as what is posted now."""
    vault.post(award(wallet_in(0)))
    partitions = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r' AND relispartition"
    ).fetchall()
    assert {"entries_before", "entries_2026_03", "postings_2026_04"} <= {name for (name,) in partitions}
    assert [(verb, name) for verb in VERBS for (name,) in partitions if _permitted(connection, verb, name)] == []
    for statement in ("DROP TABLE ledger.{}", "ALTER TABLE ledger.entries DETACH PARTITION ledger.{}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.format("entries_2026_03"))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger.entries ADD COLUMN note text",
        "ALTER TABLE ledger.entries DISABLE TRIGGER ALL",
        "DROP TABLE ledger.entries",
        "CREATE TABLE ledger.more (a int)",
        "CREATE TABLE public.more (a int)",
        "CREATE RULE hidden AS ON INSERT TO ledger.entries DO INSTEAD NOTHING",
        "SET ROLE ledger_owner",
        "SET SESSION AUTHORIZATION ledger_owner",
        "UPDATE ledger.alembic_version SET version_num = '9999'",
    ],
)
def test_the_application_cannot_change_its_own_limits(vault: Vault, statement: str) -> None:
    with (
        _connected(vault, "app") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_an_entry_that_is_there_can_be_neither_changed_nor_taken_away(vault: Vault) -> None:
    entry = vault.post(award(wallet_in(0)))
    for statement in (
        "UPDATE ledger.entries SET points = 1 WHERE bucket = %s AND seq = %s",
        "DELETE FROM ledger.entries WHERE bucket = %s AND seq = %s",
        "UPDATE ledger.postings SET points = 1 WHERE bucket = %s AND seq = %s",
        "DELETE FROM ledger.postings WHERE bucket = %s AND seq = %s",
        "SELECT 1 FROM ledger.entries WHERE bucket = %s AND seq = %s FOR UPDATE",
    ):
        with (
            _connected(vault, "app") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement, [entry.bucket, entry.seq])
    assert vault.readers.entry(entry.place) == entry


@pytest.mark.parametrize("table", ["wallets", "lots", "heads", "entries"])
def test_the_database_itself_refuses_a_negative_number(vault: Vault, table: str) -> None:
    vault.post(award(wallet_in(0)))
    column = {"heads": "seq"}.get(table, "available")
    with vault.tampering() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(f"UPDATE ledger.{table} SET {column} = -1")
