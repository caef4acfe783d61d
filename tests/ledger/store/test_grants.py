"""What the database lets each role do: immutability is a grant, not a promise."""

from __future__ import annotations

from collections.abc import Iterator, Set

import psycopg
import pytest

from tests.ledger.store.vault import Vault, award, wallet_in
from tests.support.rights import DELETE, READ_ADD_CHANGE, READ_ADD_REMOVE, READ_AND_ADD, SELECT, Role, connected, rights

ALLOWED: dict[str, Set[str]] = {
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


@pytest.fixture(scope="module", params=["app", "ro"])
def role(request: pytest.FixtureRequest) -> Role:
    role: Role = request.param
    return role


@pytest.fixture(scope="module")
def connection(vault: Vault, role: Role) -> Iterator[psycopg.Connection]:
    with connected(vault.settings, role) as connection:
        yield connection


@pytest.mark.parametrize("table", ALLOWED)
def test_a_role_may_do_what_its_row_says_and_nothing_else(
    connection: psycopg.Connection, role: str, table: str
) -> None:
    allowed = ALLOWED[table] if role == "app" else {SELECT}
    assert rights(connection, "ledger", table) == allowed


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
    assert {name: may for (name,) in partitions if (may := rights(connection, "ledger", name))} == {}
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
        connected(vault.settings, "app") as connection,
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
            connected(vault.settings, "app") as connection,
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
