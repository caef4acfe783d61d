"""What the database lets each role do: immutability is a grant, not a promise."""

from __future__ import annotations

from collections.abc import Iterator, Set

import psycopg
import pytest

from tests.settlement.paper import day, terms
from tests.settlement.store.office import Office
from tests.support.databases import Databases
from tests.support.rights import (
    DELETE,
    READ_ADD_CHANGE,
    READ_ADD_REMOVE,
    READ_AND_ADD,
    SELECT,
    UPDATE,
    Role,
    connected,
    rights,
)

ALLOWED: dict[str, Set[str]] = {
    "contract_versions": READ_AND_ADD,
    "windows": READ_ADD_CHANGE,
    "buckets": READ_ADD_CHANGE,
    "obligations": READ_AND_ADD,
    "rollups": READ_ADD_CHANGE,
    "window_counts": READ_ADD_CHANGE,
    "suspense": READ_ADD_REMOVE,
    "lines": READ_AND_ADD,
    "nets": READ_AND_ADD,
    "statements": READ_AND_ADD,
    "rollups_by_worker": READ_ADD_CHANGE,
    "own_entries": READ_AND_ADD,
    "seals": READ_AND_ADD,
    "bank_messages": READ_AND_ADD,
    "bank_statements": READ_AND_ADD,
    "bank_lines": READ_AND_ADD,
    "bank_matches": READ_ADD_REMOVE,
    "evidence": READ_AND_ADD,
    "breaks": READ_AND_ADD,
    "adjustments": READ_AND_ADD,
    "disputes": READ_AND_ADD,
    "transitions": READ_AND_ADD,
    "requests": READ_AND_ADD,
    "proposals": READ_AND_ADD,
    "quarantines": READ_AND_ADD,
    "steps": READ_ADD_CHANGE,
    "calendars": READ_AND_ADD,
    "calendar_days": READ_AND_ADD,
    "fx_sets": READ_AND_ADD,
    "fx_quotes": READ_AND_ADD,
    "models": READ_AND_ADD,
    "batches": READ_AND_ADD,
    "batch_slices": READ_AND_ADD,
    "batch_contents": READ_AND_ADD,
    "batch_proofs": READ_AND_ADD,
    "batch_overrides": READ_AND_ADD,
    "openings": READ_AND_ADD,
    "caps": READ_AND_ADD,
    "suspensions": READ_AND_ADD,
    "defaults": READ_AND_ADD,
    "bank_accounts": READ_AND_ADD,
    "instructions": READ_AND_ADD,
    "payment_files": READ_AND_ADD,
    "file_payments": READ_AND_ADD,
    "sendings": READ_AND_ADD,
    "documents": READ_AND_ADD,
    "prefundings": READ_AND_ADD,
    "exposures": READ_ADD_CHANGE,
    "allowances": READ_ADD_CHANGE,
}


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Office]:
    """With something in every table that is for ever."""
    one = Office(databases)
    one.publish("acorn", terms(since=day(-1)))
    one.paper.award(100)
    one.closed(day(1))
    yield one
    one.leave()


@pytest.fixture(scope="module", params=["app", "ro"])
def role(request: pytest.FixtureRequest) -> Role:
    role: Role = request.param
    return role


@pytest.fixture(scope="module")
def connection(office: Office, role: Role) -> Iterator[psycopg.Connection]:
    with connected(office.settings, role) as connection:
        yield connection


@pytest.mark.parametrize("table", ALLOWED)
def test_a_role_may_do_what_its_row_says_and_nothing_else(
    connection: psycopg.Connection, role: str, table: str
) -> None:
    allowed = ALLOWED[table] if role == "app" else {SELECT}
    assert rights(connection, "settlement", table) == allowed


def test_every_table_has_its_row(office: Office) -> None:
    rows = office.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'settlement'")
    assert {table for (table,) in rows} - {"alembic_version"} == set(ALLOWED)


@pytest.mark.parametrize("table", ["contract_versions", "obligations", "lines", "nets", "statements"])
@pytest.mark.parametrize("verb", [UPDATE, DELETE])
def test_what_is_booked_can_be_neither_changed_nor_taken_away(office: Office, table: str, verb: str) -> None:
    before = office.rows(f"SELECT * FROM settlement.{table}")
    assert before, "there is something to lose"
    statement = f"DELETE FROM settlement.{table}" if verb == DELETE else f"UPDATE settlement.{table} SET partner = 'x'"
    with connected(office.settings, "app") as connection:
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
    with connected(office.settings, "app") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())
