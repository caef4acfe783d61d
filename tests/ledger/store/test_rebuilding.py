"""From the entries alone the same rows: every projection is built again in a schema of its own and compared."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.ledger.domain.refusals.rebuilding import NoSuchRebuild
from services.ledger.domain.wallet import Wallet
from services.ledger.store.rebuilding import TABLES, Rebuild, Rebuilt
from services.ledger.store.verifier.bucket import _some_wallets
from services.ledger.store.verifier.look import each_time, snapshot
from services.ledger.store.verifier.wallets import FIRST, compare_wallets
from shared.db.engine import make_engine
from shared.verifying import Difference, Differs, Progress
from tests.ledger.store.damage import damaged
from tests.ledger.store.vault import BUCKETS, Vault, award, capture, hold, redeem, refund, wallet_in
from tests.support.databases import Databases

SCHEMA = "ledger_replay_test"


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[Vault]:
    vault = Vault(databases)
    for bucket in range(BUCKETS):
        for _ in range(3):
            wallet = wallet_in(bucket)
            vault.post(award(wallet, 100))
            vault.post(refund(vault.post(redeem(wallet, 30)), 10))
            vault.post(capture(vault.post(hold(wallet, 20)), 15))
    yield vault
    vault.check()
    vault.close()


@pytest.fixture
def rebuild(filled: Vault, databases: Databases) -> Iterator[Rebuild]:
    engine = make_engine(databases.service_settings(filled.settings), "owner")
    made = Rebuild(engine, SCHEMA)
    made.begin()
    yield made
    made.drop()
    engine.dispose()


def outcome(rebuild: Rebuild) -> tuple[list[Difference], Rebuilt]:
    events = list(rebuild.run())
    assert any(isinstance(event, Progress) for event in events)
    assert isinstance(events[-1], Rebuilt)
    return [event for event in events if isinstance(event, Difference)], events[-1]


def counted(vault: Vault, table: str, schema: str = "ledger") -> int:
    with vault.tampering() as connection:
        row = connection.execute(f"SELECT count(*) FROM {schema}.{table}").fetchone()
    return row[0] if row else 0


def test_the_rebuilt_tables_are_those_in_use(filled: Vault, rebuild: Rebuild) -> None:
    differences, rebuilt = outcome(rebuild)
    assert differences == []
    assert rebuilt.entries == filled.entry_count()
    for table, rows in rebuilt.rows.items():
        assert rows == counted(filled, table) == counted(filled, table, SCHEMA)
    assert rebuilt.rows["lots"] > 0


def test_every_column_of_a_projection_is_rebuilt(filled: Vault, rebuild: Rebuild) -> None:
    with filled.tampering() as connection:
        for table in TABLES.values():
            rows = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [f"ledger.{table.name}"],
            )
            assert {name for (name,) in rows} == set(table.columns)


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ("UPDATE ledger.lots SET available = available + 1 WHERE bucket = 3 AND seq = 1", "lot"),
        ("DELETE FROM ledger.redemptions WHERE bucket = 3", "redemption"),
        ("UPDATE ledger.wallets SET active_at = NULL WHERE bucket = 3", "wallet"),
        ("UPDATE ledger.requests SET request_id = gen_random_uuid() WHERE bucket = 3 AND seq = 1", "request"),
    ],
)
def test_what_was_changed_is_named_both_ways(filled: Vault, rebuild: Rebuild, change: str, subject: str) -> None:
    with damaged(filled, 3, change):
        differences, _ = outcome(rebuild)
    assert {(difference.subject, difference.name) for difference in differences} == {(subject, "3")}
    assert "the journal gives" in differences[0].detail


def test_an_entry_that_cannot_be_replayed_is_named_and_the_other_buckets_are_rebuilt(
    filled: Vault, rebuild: Rebuild
) -> None:
    with damaged(filled, 3, "DELETE FROM ledger.postings WHERE bucket = 3 AND seq = 1"):
        differences, rebuilt = outcome(rebuild)
    assert [(difference.subject, difference.name.split("-")[0]) for difference in differences] == [("entry", "3")]
    assert rebuilt.entries == filled.entry_count() * (BUCKETS - 1) // BUCKETS


def test_it_goes_on_where_it_was_stopped(rebuild: Rebuild) -> None:
    some = rebuild.run()
    for _ in range(4):
        next(some)
    some.close()
    done = rebuild._done()
    assert 0 < len(done) < BUCKETS
    assert outcome(rebuild)[0] == []
    assert len(rebuild._done()) == BUCKETS
    assert outcome(rebuild)[1].rows["lots"] == 0  # nothing is left to do


def test_a_rebuild_that_is_not_there_cannot_be_gone_on_with(rebuild: Rebuild) -> None:
    rebuild.drop()
    with pytest.raises(NoSuchRebuild):
        list(rebuild.run())


@pytest.mark.parametrize("name", ["ledger", "public", "ledger_replay_", 'x"; DROP SCHEMA ledger; --'])
def test_a_rebuild_takes_no_name_that_means_something_else(filled: Vault, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a rebuild"):
        Rebuild(filled.engine, name)


def test_the_wallets_before_are_forgotten(filled: Vault) -> None:
    """Memory does not grow with the journal: one wallet is folded, the next one is being read."""
    most = 0
    gc.freeze()  # what other tests keep is not among the objects that are looked through
    try:
        with snapshot(filled.engine) as cursor:
            for bucket in range(BUCKETS):
                for _ in compare_wallets(cursor, bucket):
                    most = max(most, sum(isinstance(thing, Wallet) for thing in gc.get_objects()))
    finally:
        gc.unfreeze()
    assert most == 1


@pytest.mark.parametrize("most", [1, 2, 3])
def test_looking_at_a_few_wallets_at_a_time_leaves_none_out(filled: Vault, most: int) -> None:
    def looked() -> int:
        wallets, first = 0, FIRST
        while True:
            counted, after = _some_wallets(each_time(filled.engine), 3, first, most)
            wallets += counted.wallets
            if after is None:
                return wallets
            first = after

    assert looked() == 3
    for place in ("min", "max"):  # a row of nobody, before the first wallet or behind the last
        stray = f"SELECT {'00000000' if place == 'min' else 'ffffffff'!r} || substring(gen_random_uuid()::text, 9)"
        invented = f"INSERT INTO ledger.wallets SELECT 3, ({stray})::uuid, 1, 0, 0, 0, 0"
        with damaged(filled, 3, invented), pytest.raises(Differs) as found:
            looked()
        assert found.value.difference.subject == "wallet"


class Program:
    """`python -m services.ledger.replay` as an administrator runs it."""

    def __init__(self, vault: Vault, folder: Path) -> None:
        names = ("ca_file", "certificate_file", "key_file", "token_keys_folder", "checkpoint_key_file")
        settings = {**dict.fromkeys(names, folder / "nowhere"), **vault.settings, "buckets": BUCKETS}
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("COALITION_")}
        self._environment |= {f"COALITION_LEDGER_{name}".upper(): str(value) for name, value in settings.items()}

    def begun(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "services.ledger.replay", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        process = self.begun(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


@pytest.fixture
def replay(filled: Vault, tmp_path: Path) -> Program:
    return Program(filled, tmp_path)


def schemas(vault: Vault) -> list[str]:
    with vault.tampering() as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ledger\\_replay%'").fetchall()
    return [name for (name,) in rows]


def test_the_program_says_that_nothing_differs_and_leaves_nothing(filled: Vault, replay: Program) -> None:
    code, out, _ = replay("--output", "json")
    answer = json.loads(out)
    assert (code, answer["same"], answer["schema"], answer["differences"]) == (0, True, None, [])
    assert answer["entries"] == filled.entry_count()
    assert answer["rows"]["wallets"] == 3 * BUCKETS
    assert schemas(filled) == []
    assert "nothing differs" in replay()[1]


def test_the_program_answers_1_names_the_difference_and_keeps_its_tables_when_told(
    filled: Vault, replay: Program
) -> None:
    with damaged(filled, 3, "UPDATE ledger.holds SET state = 1 WHERE bucket = 3"):
        code, out, _ = replay("--output", "json", "--keep")
    answer = json.loads(out)
    assert (code, answer["same"]) == (1, False)
    assert {difference["subject"] for difference in answer["differences"]} == {"hold"}
    assert schemas(filled) == [answer["schema"]]
    assert replay("--schema", answer["schema"])[0] == 0  # all buckets are done, and nothing new differs
    assert schemas(filled) == []


def test_the_program_that_is_stopped_leaves_nothing(filled: Vault, replay: Program) -> None:
    with filled.tampering() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE ledger.entries IN ACCESS EXCLUSIVE MODE")
        process = replay.begun()
        for _ in range(300):
            if schemas(filled) or process.poll() is not None:
                break
            signal.sigtimedwait([], 0.05)
        process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "nothing is left of it" in err
    assert schemas(filled) == []
