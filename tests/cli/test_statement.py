"""A statement is fetched as it was signed, and checked with nothing but the file and the operator's public key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from coalition.ledger.v1 import ledger_pb2

from tests.support.platform import RunningPlatform

Answer = subprocess.CompletedProcess[str]
Statement = Callable[..., Answer]


@pytest.fixture
def statement(tmp_path: Path) -> Statement:
    """Runs `coalition statement` in an empty folder, in a home where nothing is, unless a test names another."""

    def run(*words: str, home: Path = tmp_path / "nowhere") -> Answer:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COALITION_")}
        command = [sys.executable, "-m", "services.cli.main", "statement", *words]
        environment["COALITION_HOME"] = str(home)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)

    return run


@pytest.fixture(scope="module")
def name(platform: RunningPlatform) -> str:
    """The name of a statement about 121 points."""
    till, anna = platform.partner(), platform.member()
    request = ledger_pb2.AwardPointsRequest(
        request_id=str(uuid.uuid4()),
        grant=platform.grant(till, anna),
        lines=[ledger_pb2.AwardLine(points=121)],
    )
    till.calls.ledger.AwardPoints(request, timeout=10)
    window = platform.close_window()
    return f"{till.name}/statements/{window.name.removeprefix('windows/')}"


@pytest.fixture
def file(name: str, statement: Statement, platform: RunningPlatform, tmp_path: Path) -> Path:
    """The statement in a file, and beside it the operator's public key."""
    told = statement("get", name, home=platform.home.root)
    assert told.returncode == 0, told.stderr
    (tmp_path / "operator.pub").write_bytes((platform.home.keys / "operator.pub").read_bytes())
    return tmp_path / told.stdout.strip()


def test_it_is_verified_with_the_file_and_the_key_alone(file: Path, statement: Statement) -> None:
    told = statement("verify", file.name, "--key", "operator.pub")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("verified: ")
    assert "net -1.45 USD" in told.stdout


def test_in_the_sandbox_the_keys_are_found_and_checkpoints_are_checked_too(
    file: Path, statement: Statement, platform: RunningPlatform
) -> None:
    answer = json.loads(statement("verify", file.name, "--output", "json", home=platform.home.root).stdout)
    assert answer["verified"] is True
    assert answer["net"] == {"USD": "-1.45"}
    assert answer["checkpoints"] > 0


@pytest.mark.parametrize(
    ("digit", "other"), [('"points":121', '"points":122'), ('"net_minor":-145', '"net_minor":-144')]
)
def test_one_changed_digit_is_named(file: Path, statement: Statement, digit: str, other: str) -> None:
    content = file.read_text()
    assert digit in content
    file.write_text(content.replace(digit, other))
    told = statement("verify", file.name, "--key", "operator.pub")
    assert told.returncode == 1
    assert told.stderr.startswith(f"coalition: NOT VERIFIED: {file.name}, ")
    assert told.stderr.count("\n") == 1


def test_another_ones_key_does_not_verify_it(file: Path, statement: Statement, platform: RunningPlatform) -> None:
    told = statement("verify", file.name, "--key", str(platform.home.keys / "checkpoint.pub"))
    assert told.returncode == 1
    assert "another key" in told.stderr


def test_without_any_key_it_asks_for_one(file: Path, statement: Statement) -> None:
    told = statement("verify", file.name)
    assert told.returncode == 2
    assert "--key" in told.stderr


def test_a_file_that_is_not_there_is_one_line(file: Path, statement: Statement) -> None:
    told = statement("verify", "nowhere.json", "--key", "operator.pub")
    assert told.returncode == 2
    assert told.stderr == "coalition: nowhere.json cannot be used: No such file or directory. Name another file.\n"


def test_it_is_also_rendered_as_csv(name: str, statement: Statement, platform: RunningPlatform, tmp_path: Path) -> None:
    told = statement("get", name, "--csv", "--to", "statement.csv", home=platform.home.root)
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "statement.csv").read_text().splitlines()[0].startswith("partner,window,leg,")
