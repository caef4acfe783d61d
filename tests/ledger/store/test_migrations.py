"""A journal that 0001's own code wrote (journal_0001.txt) is taken over whole, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.ledger.domain.chain import START, canonical, chained
from services.ledger.store.journal_pages import journal
from services.ledger.store.session import reading
from shared.db.engine import make_engine
from shared.db.migrate import downgrade, upgrade
from tests.ledger.store.vault import Vault, award
from tests.support.databases import Databases

LEDGER = "services.ledger"
JOURNAL = Path(__file__).with_name("journal_0001.txt")
ITS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
AFTERWARDS = datetime(2026, 5, 20, 13, tzinfo=UTC)


@pytest.fixture
def old(databases: Databases) -> Iterator[dict[str, object]]:
    """A database that has been at 0001 for some months, and was brought to the newest schema."""
    settings = databases.empty("ledger")
    upgrade(LEDGER, databases.service_settings(settings), "0001")
    with psycopg.connect(databases.cluster.address(str(settings["database_name"]))) as connection:
        for part in JOURNAL.read_text().removeprefix("-- ").split("\n-- "):
            table, rows = part.split("\n", 1)
            with connection.cursor().copy(f"COPY ledger.{table} FROM STDIN") as copy:
                copy.write(rows)
    upgrade(LEDGER, databases.service_settings(settings))
    yield settings
    databases.drop(settings)


def _rows(databases: Databases, old: dict[str, object], query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(databases.cluster.address(str(old["database_name"]))) as connection:
        return connection.execute(query).fetchall()


def test_every_entry_reads_as_it_was_hashed(databases: Databases, old: dict[str, object]) -> None:
    engine = make_engine(databases.service_settings(old))
    with reading(engine) as cursor:
        heads = cursor.execute("SELECT bucket, seq, hash FROM ledger.heads WHERE seq > 0 ORDER BY bucket").fetchall()
        for bucket, seq, head in heads:
            previous, count = START, 0
            for entry in journal(cursor, bucket):
                assert entry.hash == chained(previous, canonical(entry))
                previous, count = entry.hash, count + 1
            assert (seq, head) == (count, previous)
    assert [bucket for bucket, _, _ in heads] == [0, 1, 7]
    engine.dispose()


def test_what_the_new_columns_say_follows_from_the_journal(databases: Databases, old: dict[str, object]) -> None:
    assert not _rows(
        databases,
        old,
        "SELECT 1 FROM ledger.postings p LEFT JOIN ledger.entries e USING (bucket, seq, posted_at) WHERE e.seq IS NULL",
    )
    heads = _rows(databases, old, "SELECT bucket, posted_at FROM ledger.heads WHERE seq > 0 ORDER BY bucket")
    march_to_may = {bucket: posted_at.isoformat()[:10] for bucket, posted_at in heads}
    assert march_to_may == {0: "2026-04-10", 1: "2026-05-20", 7: "2026-04-10"}
    assert _rows(
        databases,
        old,
        "SELECT points, captured, released FROM ledger.holds WHERE state > 1 AND bucket = 0 ORDER BY seq",
    ) == [
        (60, 25, 35),
        (10, 0, 10),
    ]
    assert _rows(databases, old, "SELECT bucket, partner, awarded::int FROM ledger.slices ORDER BY 1, 2") == [
        (0, "grocer", 100),
        (1, "florist", 1000),
        (1, "grocer", 80),
        (7, "florist", 500),
        (7, "grocer", 40),
    ]
    active = _rows(databases, old, "SELECT DISTINCT active_at::date::text FROM ledger.wallets")
    assert active == [("2026-04-10",)]


def test_what_was_there_is_the_first_partition(databases: Databases, old: dict[str, object]) -> None:
    where = "SELECT tableoid::regclass::text, count(*)::int FROM ledger.{} WHERE posted_at < '2026-06-01' GROUP BY 1"
    assert _rows(databases, old, where.format("entries")) == [("ledger.entries_before", 23)]
    assert [name for name, _ in _rows(databases, old, where.format("postings"))] == ["ledger.postings_before"]


def test_the_journal_goes_on_and_everything_agrees(databases: Databases, old: dict[str, object]) -> None:
    vault = Vault(databases, settings=old, key=ITS_KEY)
    try:
        vault.clock.instant = AFTERWARDS
        (wallet,) = {id_ for (id_,) in _rows(databases, old, "SELECT wallet_id FROM ledger.wallets WHERE bucket = 0")}
        first = vault.post(award(wallet, 50))
        assert first.seq == 9
        vault.clock.pass_by(days=90)
        assert vault.post(award(wallet, 50)).balance.available == 100
        vault.checkpoints.taken(uuid4(), vault.clock.now())
        assert vault.check().entries == 25
        for month, seq in (("before", 9), ("2026_08", 10)):
            assert _rows(databases, old, f"SELECT max(seq)::int FROM ledger.entries_{month} WHERE bucket = 0") == [
                (seq,)
            ]
    finally:
        vault.close(keep=True)


def test_a_development_machine_can_go_back_and_forth(databases: Databases) -> None:
    settings = databases.empty("ledger")
    service = databases.service_settings(settings)
    upgrade(LEDGER, service)
    downgrade(LEDGER, service, "0001")
    upgrade(LEDGER, service)
    databases.drop(settings)
