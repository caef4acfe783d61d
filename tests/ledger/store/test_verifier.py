"""The verifier finds one changed byte wherever it is, and names it.

A vault with entries of every kind is sealed by a checkpoint; then the superuser, whom no grant binds, changes one
value in one column of one row, verifies, and puts it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from psycopg import sql

from services.ledger.store.verifier import Summary
from services.ledger.store.writer import LaneLimits
from shared.verifying import Difference
from tests.ledger.store.filled import fill
from tests.ledger.store.tables import ASIDE, KEYS, NULLABLE, SUBJECTS, UNSAID, columns, name_of
from tests.ledger.store.tampered import tampered
from tests.ledger.store.vault import Vault, award, wallet_in
from tests.support.databases import Databases


@pytest.fixture(scope="module")
def sealed(databases: Databases) -> Iterator[Vault]:
    """Sound, and without the CHECKs that would keep a superuser from the worst."""
    vault = Vault(databases, lanes=2, limits=LaneLimits())
    fill(vault)
    vault.checkpoints.taken(uuid4(), vault.clock.now())
    vault.post(award(wallet_in(1)))
    vault.checkpoints.taken(uuid4(), vault.clock.now())
    vault.checkpoints.taken(uuid4(), vault.clock.now())
    with vault.tampering() as connection:
        for table, name in connection.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE connamespace = 'ledger'::regnamespace AND contype = 'c' AND coninhcount = 0"
        ).fetchall():
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            connection.execute(statement.format(sql.Identifier(*table.split(".")), sql.Identifier(name)))
    vault.check()
    yield vault
    vault.check()
    vault.close()


def test_no_column_is_left_out(sealed: Vault) -> None:
    with sealed.tampering() as connection:
        rows = connection.execute(
            "SELECT c.relname, a.attname, NOT a.attnotnull FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND a.attnum > 0 AND NOT a.attisdropped"
        ).fetchall()
    derived = [row for row in rows if row[0] not in ASIDE | {"tree_nodes"}]
    assert {(table, column) for table, column, _ in derived} == set(columns())
    assert {(table, column) for table, column, nullable in derived if nullable} == NULLABLE


@pytest.mark.parametrize(("table", "column"), [pair for pair in columns() if pair not in UNSAID])
def test_a_changed_value_is_found_and_named(sealed: Vault, table: str, column: str) -> None:
    _assert_found(sealed, table, column, present=True)


@pytest.mark.parametrize(("table", "column"), sorted(NULLABLE - UNSAID))
def test_a_value_that_was_filled_in_or_emptied_is_found_and_named(sealed: Vault, table: str, column: str) -> None:
    _assert_found(sealed, table, column, present=False)


def _assert_found(sealed: Vault, table: str, column: str, *, present: bool) -> None:
    with tampered(sealed, table, column, present=present) as key:
        found = sealed.verified()
        assert isinstance(found, Difference), f"nobody noticed: {table} {key}"
        assert found.subject == SUBJECTS[table]
        if column not in KEYS[table]:
            assert found.name.startswith(name_of(table, key)), found


# That there was one more checkpoint at the end the journal cannot know: settlement keeps those it closed with. And a
# landmark only saves looking elsewhere.
@pytest.mark.parametrize(
    ("table", "which"),
    [(table, "first") for table in KEYS if table != "landmarks"]
    + [(table, "last") for table in KEYS if table not in ("checkpoints", "landmarks")],
)
def test_a_row_that_was_taken_away_is_missed(sealed: Vault, table: str, which: str) -> None:
    order = sql.SQL(", ").join(map(sql.Identifier, KEYS[table]))
    name = sql.Identifier("ledger", table)
    direction = sql.SQL("DESC" if which == "last" else "ASC")
    ordered = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(key), direction) for key in KEYS[table])
    with sealed.tampering() as connection:
        connection.execute(
            sql.SQL("CREATE TEMP TABLE kept AS SELECT * FROM {} ORDER BY {} LIMIT 1").format(name, ordered)
        )
        key = connection.execute(sql.SQL("SELECT {} FROM kept").format(order)).fetchone()
        match = sql.SQL("DELETE FROM {} WHERE ({}) = (SELECT {} FROM kept)").format(name, order, order)
        assert connection.execute(match).rowcount == 1
        try:
            found = sealed.verified()
        finally:
            connection.execute(sql.SQL("INSERT INTO {} SELECT * FROM kept").format(name))
    assert isinstance(found, Difference), f"nobody missed {table} {key}"
    # What is missing at the very end of a bucket, its head still names.
    assert found.subject == ("head" if (table, which) == ("entries", "last") else SUBJECTS[table])


INVENTED = {
    "entries": "seq = seq + 1000",
    "postings": "line = line + 1",
    "postings of nothing": "seq = seq + 1000",
    "requests": "request_id = gen_random_uuid()",
    "receipts": "receipt_no = receipt_no || 'x'",
    "wallets": "wallet_id = gen_random_uuid()",
    "lots": "line = line + 7",
    "holds": "seq = seq + 1000",
    "redemptions": "seq = seq + 1000",
    "heads": "bucket = bucket + 1000",
    "entries of no bucket": "bucket = bucket + 1000",
    "postings of no bucket": "bucket = bucket + 1000",
    "requests of no bucket": "bucket = bucket + 1000",
    "receipts of no bucket": "bucket = bucket + 1000",
    "receipts for no bucket": "entry_bucket = entry_bucket + 1000, receipt_no = receipt_no || 'x'",
    "wallets of no bucket": "bucket = -1",
    "lots of no bucket": "bucket = bucket + 1000",
    "holds of no bucket": "bucket = bucket + 1000",
    "redemptions of no bucket": "bucket = bucket + 1000",
    "aliases": "from_wallet = gen_random_uuid()",
    "aliases of no bucket": "bucket = bucket + 1000",
    "transfers": "seq = seq + 1000",
    "transfers of no bucket": "bucket = bucket + 1000",
    "slices": "partner = partner || 'x'",
    "landmarks": "seq = seq + 1000",
    "landmarks of no bucket": "bucket = bucket + 1000",
    "receipts that nobody looks for": "bucket = bucket # 4",
}


@pytest.mark.parametrize("what", INVENTED)
def test_a_row_that_was_invented_stands_out(sealed: Vault, what: str) -> None:
    table = sql.Identifier("ledger", what.split()[0])
    change = sql.SQL(INVENTED[what])
    with sealed.tampering() as connection:
        connection.execute(sql.SQL("CREATE TEMP TABLE invented AS SELECT * FROM {} ORDER BY 1 LIMIT 1").format(table))
        connection.execute(sql.SQL("UPDATE invented SET {}").format(change))
        connection.execute(sql.SQL("INSERT INTO {} SELECT * FROM invented").format(table))
        try:
            found = sealed.verified()
        finally:
            removed = sql.SQL("DELETE FROM {} t USING invented i WHERE t::text = i::text").format(table)
            assert connection.execute(removed).rowcount == 1
    assert isinstance(found, Difference), f"nobody noticed: {what}"


def test_two_entries_that_changed_places_are_found(sealed: Vault) -> None:
    swap = "UPDATE ledger.{} SET seq = CASE seq WHEN 1 THEN -2 WHEN 2 THEN -1 END WHERE bucket = 0 AND seq IN (1, 2)"
    back = "UPDATE ledger.{} SET seq = -seq WHERE bucket = 0 AND seq < 0"

    def swapped() -> None:
        for table in ("entries", "postings"):
            connection.execute(swap.format(table))
            connection.execute(back.format(table))

    with sealed.tampering() as connection:
        swapped()
        try:
            found = sealed.verified()
        finally:
            swapped()
    assert isinstance(found, Difference)
    assert (found.subject, found.name) == ("entry", "0-1")
    sealed.check()


def test_an_empty_ledger_is_sound(databases: Databases) -> None:
    vault = Vault(databases)
    try:
        assert vault.check() == Summary()
    finally:
        vault.close()
