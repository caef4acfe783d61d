"""The verifier finds one changed byte wherever it is, and names it.

A vault with entries of every kind is sealed by a checkpoint; then the superuser, whom no grant binds, changes one
value in one column of one row, verifies, and puts it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import sql

from services.ledger.store.verifier import Summary
from services.ledger.store.writer import LaneLimits
from shared.verifying import Difference
from tests.ledger.store.vault import (
    MINUTE,
    Vault,
    award,
    capture,
    hold,
    receipt,
    redeem,
    refund,
    release,
    reverse,
    tend,
    wallet_in,
)
from tests.support.databases import Databases

KEYS = {
    "heads": ("bucket",),
    "entries": ("bucket", "seq"),
    "postings": ("bucket", "seq", "line"),
    "requests": ("bucket", "wallet_id", "request_id"),
    "receipts": ("bucket", "receipt_no"),
    "wallets": ("bucket", "wallet_id"),
    "lots": ("bucket", "seq", "line"),
    "holds": ("bucket", "seq"),
    "redemptions": ("bucket", "seq"),
    "checkpoints": ("number",),
}
SUBJECTS = {
    "heads": "head",
    "entries": "entry",
    "postings": "entry",
    "requests": "request",
    "receipts": "receipt",
    "wallets": "wallet",
    "lots": "lot",
    "holds": "hold",
    "redemptions": "redemption",
    "checkpoints": "checkpoint",
}
NULLABLE = {
    ("entries", "original"),
    ("entries", "hold_until"),
    ("entries", "store"),
    ("entries", "terminal"),
    ("entries", "business_date"),
    ("entries", "receipt_no"),
    ("postings", "expires_on"),
    ("lots", "expires_on"),
}
UNSIGNED = {("checkpoints", "request_id")}
"""Who asked for a checkpoint is no part of what is signed."""


@pytest.fixture(scope="module")
def sealed(databases: Databases) -> Iterator[Vault]:
    """Sound, and without the CHECKs that would keep a superuser from the worst."""
    vault = Vault(databases, lanes=2, limits=LaneLimits())
    _fill(vault)
    vault.checkpoints.taken(uuid4(), vault.clock.now())
    vault.post(award(wallet_in(1)))
    vault.checkpoints.taken(uuid4(), vault.clock.now())
    vault.checkpoints.taken(uuid4(), vault.clock.now())
    with vault.tampering() as connection:
        for table, name in connection.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE connamespace = 'ledger'::regnamespace AND contype = 'c'"
        ).fetchall():
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            connection.execute(statement.format(sql.Identifier(*table.split(".")), sql.Identifier(name)))
    vault.check()
    yield vault
    vault.check()
    vault.close()


def _fill(vault: Vault) -> None:
    today = vault.clock.now().date()
    for bucket in (0, 3):
        wallet = wallet_in(bucket)
        given = vault.post(award(wallet, 100, receipt=receipt()))
        vault.post(award(wallet, 50, until=today))
        spent = vault.post(redeem(wallet, 30))
        vault.post(refund(spent, 10))
        vault.post(capture(vault.post(hold(wallet, 20)), 15))
        vault.post(release(vault.post(hold(wallet, 20))))
        vault.post(hold(wallet, 5, ttl=7 * 24 * 60 * MINUTE))
        vault.post(reverse(given, 60))
    vault.clock.pass_by(days=1)
    for bucket in (0, 3):
        for wallet in {entry.wallet for entry in vault.readers.journal_after(bucket, 0, 100)}:
            vault.outcome(tend(wallet))


def _columns() -> list[tuple[str, str]]:
    """Every column of every table, so that a column that is added later is asked for, too."""
    shapes = {
        "heads": "bucket seq hash",
        "entries": (
            "bucket seq kind wallet_id partner request_id request_hash points available pending held debt occurred_at"
            " posted_at original hold_until store terminal business_date receipt_no hash"
        ),
        "postings": (
            "bucket seq line debit debit_party credit credit_party unit points lot_seq lot_line issuer expires_on"
        ),
        "requests": "bucket wallet_id request_id request_hash seq",
        "receipts": "bucket partner business_date store terminal receipt_no entry_bucket entry_seq",
        "wallets": "bucket wallet_id unit available pending held debt",
        "lots": ("bucket seq line wallet_id unit issuer earned_at expires_on awarded available pending held undone"),
        "holds": "bucket seq wallet_id partner points captured state expires_at",
        "redemptions": "bucket seq wallet_id partner points refunded",
        "checkpoints": "number request_id seqs hashes root entry_count created_at signature key_id",
    }
    return [(table, column) for table, columns in shapes.items() for column in columns.split()]


def test_no_column_is_left_out(sealed: Vault) -> None:
    with sealed.tampering() as connection:
        rows = connection.execute(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'ledger'"
        ).fetchall()
    aside = {"alembic_version", "deployment"}
    assert {(table, column) for table, column, _ in rows if table not in aside} == set(_columns())
    assert {(table, column) for table, column, nullable in rows if nullable == "YES"} == NULLABLE


@pytest.mark.parametrize(("table", "column"), [pair for pair in _columns() if pair not in UNSIGNED])
def test_a_changed_value_is_found_and_named(sealed: Vault, table: str, column: str) -> None:
    _assert_found(sealed, table, column, present=True)


@pytest.mark.parametrize(("table", "column"), sorted(NULLABLE))
def test_a_value_that_was_filled_in_or_emptied_is_found_and_named(sealed: Vault, table: str, column: str) -> None:
    _assert_found(sealed, table, column, present=False)


def _assert_found(sealed: Vault, table: str, column: str, *, present: bool) -> None:
    with _tampered(sealed, table, column, present=present) as key:
        found = sealed.verified()
        assert isinstance(found, Difference), f"nobody noticed: {table} {key}"
        assert found.subject == SUBJECTS[table]
        if column not in KEYS[table]:
            assert found.name.startswith(_name(table, key)), found


# That there was one more checkpoint at the end the journal cannot know: settlement keeps those it closed with.
@pytest.mark.parametrize(
    ("table", "which"),
    [(table, "first") for table in KEYS] + [(table, "last") for table in KEYS if table != "checkpoints"],
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


def test_a_journal_that_was_rewritten_as_a_whole_is_convicted_by_a_checkpoint(databases: Databases) -> None:
    """Whoever recomputes every hash and every projection still cannot sign."""
    forged, honest = Vault(databases), Vault(databases)
    try:
        wallet, paper = wallet_in(0), receipt()
        honest.post(award(wallet, 100, receipt=paper))
        honest.checkpoints.taken(uuid4(), honest.clock.now())
        forged.post(award(wallet, 999, receipt=paper))
        with honest.tampering() as out, forged.tampering() as into:
            columns = "number, request_id, seqs, hashes, root, entry_count, created_at, signature, key_id"
            row = out.execute(f"SELECT {columns} FROM ledger.checkpoints").fetchone()
            marks = ", ".join(["%s"] * 9)
            into.execute(f"INSERT INTO ledger.checkpoints ({columns}) VALUES ({marks})", row)
        forged.trust(honest)
        found = forged.verified()
        assert isinstance(found, Difference)
        assert (found.subject, found.name) == ("entry", "0-1")
        assert "checkpoint" in found.detail
    finally:
        forged.close()
        honest.close()


def test_a_checkpoint_signed_by_a_stranger_is_found(databases: Databases) -> None:
    vault, stranger = Vault(databases), Vault(databases)
    try:
        vault.checkpoints.taken(uuid4(), vault.clock.now())
        vault.trust(stranger)
        found = vault.verified()
        assert found == Difference("checkpoint", "checkpoints/1", "its signature does not hold")
    finally:
        vault.close()
        stranger.close()


def test_an_empty_ledger_is_sound(databases: Databases) -> None:
    vault = Vault(databases)
    try:
        assert vault.check() == Summary()
    finally:
        vault.close()


@contextmanager
def _tampered(vault: Vault, table: str, column: str, *, present: bool) -> Iterator[tuple[Any, ...]]:
    """One value changed (or, when not `present`, NULL where there was something and the reverse), then put back."""
    name, field = sql.Identifier("ledger", table), sql.Identifier(column)
    keys = sql.SQL(", ").join(map(sql.Identifier, KEYS[table]))
    with vault.tampering() as connection:
        pick = sql.SQL("SELECT ctid::text, {}, {} FROM {} ORDER BY {} IS NULL, 3, {} LIMIT 1")
        row = connection.execute(pick.format(field, keys, name, field, keys)).fetchone()
        if not present:
            empty = sql.SQL("SELECT ctid::text, {}, {} FROM {} WHERE {} IS NULL ORDER BY {} LIMIT 1")
            row = connection.execute(empty.format(field, keys, name, field, keys)).fetchone() or row
        assert row is not None
        place, value, *key = row
        other = None if value is not None and not present else _other(value, column)
        put = sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s::tid RETURNING ctid::text").format(name, field)
        if column.endswith("bucket"):
            other = value + 1000 if table == "heads" else value ^ 4
        (moved,) = connection.execute(put, [other, place]).fetchone() or ("",)
        try:
            yield tuple(key)
        finally:
            connection.execute(put, [value, moved])


def _other(value: Any, column: str) -> Any:  # noqa: ANN401  # whatever the column holds
    """The same with one bit, letter, microsecond or day changed."""
    match value:
        case int():
            return 99 if column in ("kind", "debit", "credit", "unit", "state") else value ^ 1
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case str():
            return value[:-1] + ("y" if value.endswith("x") else "x") if value else "x"
        case UUID():
            return UUID(int=value.int ^ 1)
        case datetime():
            return value + timedelta(microseconds=1)
        case date():
            return value + timedelta(days=1)
        case list():
            return [_other(value[0], column), *value[1:]]
        case _:
            return INVENTIONS[column]


INVENTIONS: dict[str, object] = {
    "business_date": date(2026, 1, 1),
    "expires_on": date(2026, 1, 1),
    "hold_until": datetime(2026, 1, 1, tzinfo=UTC),
    "original": 1,
    "receipt_no": "x",
    "store": "x",
    "terminal": "x",
}
"""What stands where there was nothing."""


def _name(table: str, key: tuple[Any, ...]) -> str:
    """How the verifier names a row."""
    match table:
        case "heads":
            return str(key[0])
        case "wallets":
            return f"{key[0]}/{key[1]}"
        case "lots":
            return f"{key[0]}-{key[1]}.{key[2]}"
        case "checkpoints":
            return f"checkpoints/{key[0]}"
        case "requests" | "receipts":
            return ""
        case _:
            return f"{key[0]}-{key[1]}"
