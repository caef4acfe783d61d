"""Opening lots from a file: checked before anything is written, posted once, chained like everything else."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.ledger import importer
from services.ledger.domain.entry import EntryKind, Unit
from services.ledger.store.importing.openings import COLUMNS
from services.ledger.store.leases import Leases
from services.ledger.store.writer import Writer
from shared.clock import SandboxClock
from shared.refusal import Refusal
from tests.ledger.store.vault import BUCKETS, FLORIST, GROCER, PATIENCE, Vault, award, redeem, wallet_in
from tests.support.together import until

Row = dict[str, str]
Run = Callable[..., int]


def row(wallet: UUID, points: int = 100, **more: str) -> Row:
    plain = {"unit": "POINTS", "issuer": GROCER, "earned_at": "2024-05-31T12:00:00Z", "expires_on": "2027-01-31"}
    return {**dict.fromkeys(COLUMNS, ""), "wallet": str(wallet), "points": str(points), **plain, **more}


def written(path: Path, rows: list[Row]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def environment(own_vault: Vault, tmp_path: Path) -> dict[str, str]:
    """What the service and its programs are told. The clock is the vault's."""
    clock = tmp_path / "clock"
    SandboxClock(clock).set(own_vault.clock.now())
    key = tmp_path / "key"
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files = dict.fromkeys(("ca_file", "certificate_file", "key_file", "token_keys_folder"), tmp_path)
    ours = {**own_vault.settings, **files, "checkpoint_key_file": key, "buckets": BUCKETS, "clock_file": clock}
    return {f"COALITION_LEDGER_{name}".upper(): str(value) for name, value in ours.items()}


@pytest.fixture
def run(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return lambda *arguments: importer.main([*map(str, arguments), "--output", "json"])


@pytest.fixture
def file(tmp_path: Path) -> Callable[[list[Row]], Path]:
    return lambda rows: written(tmp_path / "openings.csv", rows)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_each_row_becomes_an_award_that_keeps_its_own_time(
    own_vault: Vault, run: Run, file: Callable[[list[Row]], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    anna, ben = wallet_in(1), wallet_in(5)
    rows = [
        row(anna, 100, reference="old-17"),
        row(anna, 50, issuer=FLORIST, campaign="spring, 2024", expires_on=""),
        row(ben, 7, unit="STAMPS"),
    ]
    assert run(file(rows), "--expect-rows", 3, "--expect-points", 157) == importer.DONE
    assert said(capsys) | {"seconds": 0} == {
        "rows": 3, "bad_rows": 0, "points": {"POINTS": 150, "STAMPS": 7}, "posted": 3, "there": 0,
        "dry_run": False, "seconds": 0, "bad": [],
    }  # fmt: skip
    first, second = own_vault.readers.journal_after(1, 0, 10)
    assert (first.kind, first.partner, first.points, first.reason) == (EntryKind.AWARD, GROCER, 100, "IMPORT old-17")
    assert datetime.fromisoformat("2024-05-31T12:00:00Z").timestamp() * 1_000_000 == first.occurred_at
    assert first.posted_at == own_vault.clock.now().timestamp() * 1_000_000
    assert second.postings[0].terms.campaign == "spring, 2024"
    assert second.postings[0].expires_on == date(2026, 5, 31)
    assert second.balance.available == own_vault.available(anna) == 150
    (stamps,) = own_vault.readers.journal_after(5, 0, 10)
    assert stamps.unit is Unit.STAMPS
    own_vault.check()


def test_what_was_imported_is_spent_like_everything_else(
    own_vault: Vault, run: Run, file: Callable[[list[Row]], Path]
) -> None:
    anna = wallet_in(2)
    assert run(file([row(anna, 100), row(anna, 20)])) == importer.DONE
    leases = Leases(own_vault.engine, "afterwards", "", BUCKETS)
    leases.start()
    engine = own_vault.another_engine()
    writer = Writer(engine, own_vault.clock, own_vault.programme, BUCKETS, holdings=leases)
    assert writer.post(redeem(anna, 110), PATIENCE).entry.balance.available == 10
    assert writer.post(award(anna, 5), PATIENCE).entry.balance.available == 15
    writer.stop()
    leases.stop()
    own_vault.check()


def test_whoever_posts_meanwhile_is_fenced(own_vault: Vault, run: Run, file: Callable[[list[Row]], Path]) -> None:
    """The vault's own writer believes in the epochs of before."""
    anna = wallet_in(2)
    own_vault.post(award(anna, 1))
    assert run(file([row(anna, 100)])) == importer.DONE
    (outcome,) = own_vault.writer.post_all([award(anna, 1)], within=1)
    assert isinstance(outcome, Refusal)
    assert own_vault.check().entries == 2


def test_the_same_file_counts_once(
    own_vault: Vault, run: Run, file: Callable[[list[Row]], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row(wallet_in(number % BUCKETS)) for number in range(40)]
    for posted, there in ((40, 0), (0, 40)):
        assert run(file(rows)) == importer.DONE
        summary = said(capsys)
        assert (summary["posted"], summary["there"]) == (posted, there)
    assert own_vault.check().entries == 40


def test_a_wallet_that_is_in_use_keeps_what_it_has(
    own_vault: Vault, run: Run, file: Callable[[list[Row]], Path]
) -> None:
    anna = wallet_in(3)
    own_vault.post(award(anna, 30))
    own_vault.post(redeem(anna, 10))
    assert run(file([row(anna, 100)])) == importer.DONE
    assert own_vault.available(anna) == 120
    own_vault.check()


def test_a_bad_row_is_named_with_what_to_do_and_nothing_is_written(
    own_vault: Vault, run: Run, file: Callable[[list[Row]], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row(wallet_in(0)), row(wallet_in(0), -5), row(wallet_in(0), unit="MILES", issuer="A B")]
    for dry in ([], ["--dry-run"]):
        assert run(file(rows), *dry) == importer.WRONG
        bad = said(capsys)["bad"]
        assert isinstance(bad, list)
        assert [(one["line"], one["field"]) for one in bad] == [(3, "points"), (4, "unit"), (4, "issuer")]
        assert all(one["problem"] and one["remedy"] for one in bad)
    assert own_vault.entry_count() == 0


def test_a_control_total_that_does_not_agree_ends_it_before_anything_is_written(
    own_vault: Vault, run: Run, file: Callable[[list[Row]], Path]
) -> None:
    for total in (("--expect-rows", 3), ("--expect-points", 199)):
        assert run(file([row(wallet_in(0)), row(wallet_in(1))]), *total) == importer.REFUSED
    assert own_vault.entry_count() == 0


def test_a_dry_run_writes_nothing(own_vault: Vault, run: Run, file: Callable[[list[Row]], Path]) -> None:
    anna = wallet_in(0)
    assert run(file([row(anna)]), "--dry-run") == importer.DONE
    assert own_vault.entry_count() == 0
    assert own_vault.balances.now(0, anna) == {}


def test_a_file_that_is_not_there_is_one_line(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(tmp_path / "nowhere.csv") == importer.REFUSED
    assert capsys.readouterr().err == f"import: No such file or directory: {tmp_path / 'nowhere.csv'}\n"


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE ledger.wallets SET debt = 5, available = 0", "it owes points"),
        ("UPDATE ledger.wallets SET merged_wallet = wallet_id", "it was merged into another"),
        (
            "UPDATE ledger.wallets SET idle_days = 30, active_at = active_at - interval '31 days'",
            "inactivity has ended points of it",
        ),
    ],
)
def test_a_wallet_to_which_an_award_is_more_than_an_award_is_left_to_the_service(
    own_vault: Vault, run: Run, file: Callable[[list[Row]], Path], capsys: pytest.CaptureFixture[str],
    statement: str, line: str,
) -> None:  # fmt: skip
    anna = wallet_in(0)
    own_vault.post(award(anna))
    with own_vault.tampering() as connection:
        connection.execute(statement)
    assert run(file([row(wallet_in(0)), row(anna)])) == importer.WRONG
    bad = said(capsys)["bad"]
    assert isinstance(bad, list)
    assert [(one["line"], one["problem"]) for one in bad] == [(3, line)]
    assert own_vault.entry_count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.heads SET frozen = true WHERE bucket = 0",
        "INSERT INTO ledger.allowances VALUES ('grocer', 1, 1000, 1000, '2026-01-01')",
    ],
)
def test_a_frozen_bucket_or_a_cap_refuses_it(
    own_vault: Vault, run: Run, file: Callable[[list[Row]], Path], statement: str
) -> None:
    with own_vault.tampering() as connection:
        connection.execute(statement)
    assert run(file([row(wallet_in(0))])) == importer.REFUSED
    assert own_vault.entry_count() == 0


def test_killed_in_the_middle_the_next_run_does_the_rest(
    own_vault: Vault, environment: dict[str, str], run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bucket 5 is locked by somebody: the first buckets are committed when the process dies waiting."""
    rows = [row(wallet_in(number % BUCKETS), reference=str(number)) for number in range(400)]
    path = written(tmp_path / "openings.csv", rows)
    command = [sys.executable, "-m", "services.ledger.importer", str(path)]
    with own_vault.tampering() as blocker, blocker.transaction():
        blocker.execute("SELECT 1 FROM ledger.heads WHERE bucket = 5 FOR KEY SHARE")
        with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL) as child:
            until(lambda: own_vault.entry_count() > 0 and bool(own_vault.waiting()))
            child.kill()
    assert 0 < own_vault.entry_count() < 400
    assert run(path) == importer.DONE
    summary = said(capsys)
    assert summary["posted"]
    assert summary["there"]
    assert own_vault.check().entries == 400


def test_a_connection_that_is_cut_in_the_middle_costs_a_try_and_nothing_else(
    own_vault: Vault, environment: dict[str, str], tmp_path: Path
) -> None:
    rows = [row(wallet_in(number % BUCKETS), reference=str(number)) for number in range(100)]
    path = written(tmp_path / "openings.csv", rows)
    command = [sys.executable, "-m", "services.ledger.importer", str(path), "--output", "json"]
    with own_vault.tampering() as blocker:
        with blocker.transaction():
            blocker.execute("SELECT 1 FROM ledger.heads WHERE bucket = 5 FOR KEY SHARE")
            child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)
            until(lambda: bool(own_vault.waiting()))
            for pid in own_vault.waiting():
                blocker.execute("SELECT pg_terminate_backend(%s)", [pid])
        out, _ = child.communicate(timeout=60)
    assert child.returncode == importer.DONE
    assert json.loads(out)["posted"] == 100
    assert own_vault.check().entries == 100
