"""The verifier finds one changed byte wherever it is, and names it.

A vault with entries of every kind is sealed by a checkpoint; then the superuser, whom no grant binds, changes one
value in one column of one row, verifies, and puts it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import sql

from services.ledger.domain.entry import OPERATOR, Counterpart, Unit
from services.ledger.domain.terms import NegativeBalance, Policy
from services.ledger.domain.wish import (
    AdjustWish,
    AwardWish,
    CaptureWish,
    ExtendWish,
    Line,
    MergeWish,
    ReleasePendingWish,
    ReleaseWish,
    TransferWish,
)
from services.ledger.store.partitions import Partitions, Upkeep
from services.ledger.store.transfers import Transfers
from services.ledger.store.verifier import Summary
from services.ledger.store.writer import LaneLimits
from shared.instants import micros
from shared.verifying import Difference
from tests.ledger.store.vault import (
    FLORIST,
    GROCER,
    MINUTE,
    PATIENCE,
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
from tests.support.tampering import nearly, put_instead

KEYS = {
    "heads": ("bucket",),
    "entries": ("bucket", "seq"),
    "postings": ("bucket", "seq", "line"),
    "requests": ("bucket", "wallet_id", "request_id"),
    "receipts": ("bucket", "receipt_no"),
    "wallets": ("bucket", "wallet_id", "unit"),
    "lots": ("bucket", "seq", "line"),
    "holds": ("bucket", "seq"),
    "redemptions": ("bucket", "seq"),
    "checkpoints": ("number",),
    "aliases": ("bucket", "wallet_id", "from_bucket", "from_wallet"),
    "transfers": ("bucket", "seq"),
    "slices": ("bucket", "partner"),
    "landmarks": ("bucket", "seq"),
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
    "aliases": "alias",
    "transfers": "transfer",
    "slices": "slice",
    "landmarks": "landmark",
}
SHAPES = {
    "heads": "bucket seq hash posted_at epoch frozen",
    "entries": (
        "bucket seq kind wallet_id partner request_id request_hash points available pending held debt occurred_at"
        " posted_at original hold_until store terminal business_date receipt_no hash unit others counterpart_bucket"
        " counterpart_wallet counterpart_seq reason proposed_by approved_by"
    ),
    "postings": (
        "bucket seq line debit debit_party credit credit_party unit points lot_seq lot_line issuer expires_on posted_at"
        " for_seq for_line earned_at available_from idle_days campaign origin_bucket origin_seq origin_line"
    ),
    "requests": "bucket wallet_id request_id request_hash seq",
    "receipts": "bucket partner business_date store terminal receipt_no entry_bucket entry_seq",
    "wallets": (
        "bucket wallet_id unit available pending held debt active_at idle_days merged_bucket merged_wallet aliases"
    ),
    "lots": (
        "bucket seq line wallet_id unit issuer earned_at expires_on awarded available pending held undone"
        " available_from owed idle_days campaign origin_bucket origin_seq origin_line"
    ),
    "holds": "bucket seq wallet_id partner points captured released state expires_at",
    "redemptions": "bucket seq wallet_id partner points refunded",
    "checkpoints": (
        "number request_id seqs hashes root entry_count created_at signature key_id tree_roots tree_root tree_signature"
    ),
    "aliases": "bucket wallet_id from_bucket from_wallet",
    "transfers": "bucket seq kind to_bucket to_wallet arrived_seq",
    "slices": "bucket partner awarded remaining",
    "landmarks": "bucket seq posted_at",
}
NULLABLE = {
    (table, column)
    for table, columns in {
        "entries": (
            "original hold_until store terminal business_date receipt_no others counterpart_bucket counterpart_wallet"
            " counterpart_seq reason proposed_by approved_by"
        ),
        "postings": (
            "expires_on for_seq for_line earned_at available_from idle_days campaign origin_bucket origin_seq"
            " origin_line"
        ),
        "wallets": "active_at idle_days merged_bucket merged_wallet",
        "lots": "expires_on available_from idle_days campaign origin_bucket origin_seq origin_line",
        "checkpoints": "tree_roots tree_root tree_signature",
        "transfers": "arrived_seq",
        "slices": "remaining",
    }.items()
    for column in columns.split()
}
UNSAID = {("checkpoints", "request_id"), ("heads", "epoch"), ("slices", "remaining")}
"""What the journal does not say: who asked for a checkpoint, who posts, how an allowance was dealt out."""

ASIDE = {"alembic_version", "deployment", "adjustments", "allowances", "freezes", "leases", "policies", "processes"}
"""What was decided, not derived. (Trees have a page of their own: test_evidence.)"""


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
            " WHERE connamespace = 'ledger'::regnamespace AND contype = 'c' AND coninhcount = 0"
        ).fetchall():
            statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            connection.execute(statement.format(sql.Identifier(*table.split(".")), sql.Identifier(name)))
    vault.check()
    yield vault
    vault.check()
    vault.close()


def _fill(vault: Vault) -> None:
    for bucket in (0, 3):
        _shop(vault, bucket)
        _rarer(vault, bucket)
    _debts(vault)
    _between_wallets(vault)
    Upkeep(vault.engine, Partitions(), vault.clock).tend()
    vault.clock.pass_by(days=1)
    for bucket in (0, 3):
        for wallet in {entry.wallet for entry in vault.readers.journal_after(bucket, 0, 100)}:
            vault.outcome(tend(wallet))


def _shop(vault: Vault, bucket: int) -> None:
    today = vault.clock.now().date()
    wallet = wallet_in(bucket)
    given = vault.post(award(wallet, 100, receipt=receipt()))
    vault.post(award(wallet, 50, until=today))
    spent = vault.post(redeem(wallet, 30))
    vault.post(refund(spent, 10))
    vault.post(capture(vault.post(hold(wallet, 20)), 15))
    vault.post(release(vault.post(hold(wallet, 20))))
    vault.post(hold(wallet, 5, ttl=7 * 24 * 60 * MINUTE))
    vault.post(reverse(given, 60))


def _rarer(vault: Vault, bucket: int) -> None:
    """Several units and issuers, campaigns, pending points, a hold that is used bit by bit, a correction."""
    wallet, later = wallet_in(bucket), micros(vault.clock.now()) + 60 * MINUTE
    lines = (
        Line(GROCER, 30),
        Line(GROCER, 20, campaign="spring"),
        Line(FLORIST, 10, available_from=later),
        Line(GROCER, 3, unit=Unit.STAMPS),
    )
    given = vault.post(AwardWish(bucket=bucket, partner=GROCER, request_id=uuid4(), wallet=wallet, lines=lines))
    assert given.others
    vault.post(ReleasePendingWish(bucket=bucket, partner=GROCER, request_id=uuid4(), original=given.seq))
    kept = vault.post(hold(wallet, 25))
    vault.post(
        CaptureWish(bucket=bucket, partner=GROCER, request_id=uuid4(), original=kept.seq, points=5, keep_open=True)
    )
    vault.post(ReleaseWish(bucket=bucket, partner=GROCER, request_id=uuid4(), original=kept.seq, points=5))
    vault.post(ExtendWish(bucket=bucket, partner=GROCER, request_id=uuid4(), original=kept.seq, ttl=48 * 60 * MINUTE))
    vault.post(reverse(given))
    vault.post(
        AdjustWish(
            bucket=bucket,
            partner=OPERATOR,
            request_id=uuid4(),
            wallet=wallet,
            issuer=FLORIST,
            points=7,
            taking=False,
            reason="GOODWILL",
            proposed_by="anna",
            approved_by="ben",
        )
    )


def _between_wallets(vault: Vault) -> None:
    """From bucket 0 to bucket 3 and back: a transfer, a merge, and a transfer whose second leg is still to come."""
    transfers = Transfers(vault.engine, vault.writer)
    for from_, to in ((0, 3), (3, 0)):
        giver, taker, old = wallet_in(from_), Counterpart(to, wallet_in(to)), wallet_in(from_)
        for wallet in (giver, old):
            vault.clock.pass_by(seconds=1)
            vault.post(award(wallet, 100))
            vault.post(award(wallet, 50, partner=FLORIST))
        transfers.post(
            TransferWish(bucket=from_, partner=GROCER, request_id=uuid4(), wallet=giver, to=taker, points=120), PATIENCE
        )
        vault.clock.pass_by(seconds=1)
        transfers.post(MergeWish(bucket=from_, partner=GROCER, request_id=uuid4(), wallet=old, to=taker), PATIENCE)
        vault.clock.pass_by(seconds=1)
        vault.post(TransferWish(bucket=from_, partner=GROCER, request_id=uuid4(), wallet=giver, to=taker, points=11))


def _debts(vault: Vault) -> None:
    """Spent points that are reversed are owed; what comes in repays, from another issuer too; a merge brings a debt."""
    policy = Policy(negative_balance=NegativeBalance.ALLOW_NEGATIVE)
    writer = vault.another_writer(lanes=1, policies=lambda: {GROCER: policy})
    for bucket in (0, 3):
        owing, sound = wallet_in(bucket), Counterpart(3 - bucket, wallet_in(3 - bucket))
        given = writer.post(award(owing, 100), PATIENCE).entry
        writer.post(redeem(owing, 80), PATIENCE)
        assert writer.post(reverse(given), PATIENCE).entry.balance.debt == 80
        paid = writer.post(award(owing, 30, partner=FLORIST), PATIENCE).entry
        assert (paid.balance.debt, paid.postings[-1].for_lot) == (50, given.postings[0].lot)
        if bucket:
            writer.post(award(sound.wallet, 45, partner=FLORIST), PATIENCE)
            wish = MergeWish(bucket=bucket, partner=GROCER, request_id=uuid4(), wallet=owing, to=sound)
            arrived = Transfers(vault.engine, writer).post(wish, PATIENCE).arrival
            assert arrived is not None
            assert (arrived.balance.available, arrived.balance.debt) == (0, 5)


def _columns() -> list[tuple[str, str]]:
    """Every column of every table, so that a column that is added later is asked for, too."""
    return [(table, column) for table, columns in SHAPES.items() for column in columns.split()]


def test_no_column_is_left_out(sealed: Vault) -> None:
    with sealed.tampering() as connection:
        rows = connection.execute(
            "SELECT c.relname, a.attname, NOT a.attnotnull FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND a.attnum > 0 AND NOT a.attisdropped"
        ).fetchall()
    derived = [row for row in rows if row[0] not in ASIDE | {"tree_nodes"}]
    assert {(table, column) for table, column, _ in derived} == set(_columns())
    assert {(table, column) for table, column, nullable in derived if nullable} == NULLABLE


@pytest.mark.parametrize(("table", "column"), [pair for pair in _columns() if pair not in UNSAID])
def test_a_changed_value_is_found_and_named(sealed: Vault, table: str, column: str) -> None:
    _assert_found(sealed, table, column, present=True)


@pytest.mark.parametrize(("table", "column"), sorted(NULLABLE - UNSAID))
def test_a_value_that_was_filled_in_or_emptied_is_found_and_named(sealed: Vault, table: str, column: str) -> None:
    _assert_found(sealed, table, column, present=False)


def _assert_found(sealed: Vault, table: str, column: str, *, present: bool) -> None:
    with _tampered(sealed, table, column, present=present) as key:
        found = sealed.verified()
        assert isinstance(found, Difference), f"nobody noticed: {table} {key}"
        assert found.subject == SUBJECTS[table]
        if column not in KEYS[table]:
            assert found.name.startswith(_name(table, key)), found


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
        if column.endswith("bucket") and value is not None and present:
            other = value + 1000 if table == "heads" else value ^ 4
        with put_instead(connection, name, column, place, value, other):
            yield tuple(key)


def _other(value: Any, column: str) -> Any:  # noqa: ANN401  # whatever the column holds
    """Nearly the same, or what is no such thing; something where there was nothing."""
    if value is None:
        return INVENTIONS[column]
    is_kind = isinstance(value, int) and column in ("kind", "debit", "credit", "unit", "state")
    return 99 if is_kind else nearly(value)


INVENTIONS: dict[str, object] = {
    "active_at": datetime(2026, 1, 1, tzinfo=UTC),
    "approved_by": "x",
    "arrived_seq": 1,
    "available_from": datetime(2026, 1, 1, tzinfo=UTC),
    "business_date": date(2026, 1, 1),
    "campaign": "x",
    "counterpart_bucket": 1,
    "counterpart_seq": 1,
    "counterpart_wallet": UUID(int=1),
    "earned_at": datetime(2026, 1, 1, tzinfo=UTC),
    "expires_on": date(2026, 1, 1),
    "for_line": 1,
    "for_seq": 1,
    "hold_until": datetime(2026, 1, 1, tzinfo=UTC),
    "idle_days": 5,
    "merged_bucket": 1,
    "merged_wallet": UUID(int=1),
    "origin_bucket": 1,
    "origin_line": 1,
    "origin_seq": 1,
    "original": 1,
    "others": '{"STAMPS":{"available":1,"debt":0,"held":0,"pending":0}}',
    "proposed_by": "x",
    "reason": "x",
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
        case "slices" | "aliases":
            return f"{key[0]}/"
        case _:
            return f"{key[0]}-{key[1]}"
