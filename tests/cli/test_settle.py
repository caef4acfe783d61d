"""What is typed wrong is said before anything is asked of a server; the same command has the same request id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from google.type.money_pb2 import Money
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.options import Output
from services.cli.settle.ways import BLOCKED, money, named, request_id, tell

HASH = "ab" * 32


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["entry", "seven"], "write 7:1234"),
        (["approve", "B1", "--sha256", "zz"], "64 hexadecimal digits"),
        (["approve", "X1", "--sha256", HASH], "is no batches"),
        (["close", "B7"], "is no windows"),
        (["adjust", "partners/a/statements/1", "1", "--why", "x"], "one of both"),
        (["adjust", "partners/a/statements/1", "1", "--why", "x", "--points", "1", "--minor", "2"], "one of both"),
        (["resolve-unknown", "batches/1/instructions/x", "--outcome", "LOST", "--document", "x"], "BOOKED or REJECTED"),
        (["run", "--window", "W1", "--due", "tomorrow"], "is no day"),
    ],
)
def test_what_is_typed_wrong_is_wrong_usage(
    words: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.settle.ways.running_platform", _no_platform)
    ran = CliRunner().invoke(app, ["settle", *words, "--home", str(tmp_path)])
    assert (ran.exit_code, why in " ".join(ran.output.replace("│", " ").split())) == (2, True), ran.output


def test_names_are_taken_as_people_write_them() -> None:
    assert named("B", "B42") == named("B", "b42") == named("B", "42") == named("B", "batches/42") == "batches/42"
    assert named("W", "W007") == "windows/7"
    with pytest.raises(typer.BadParameter):
        named("W", "W1.5")


def test_the_same_command_about_the_same_things_has_the_same_request_id() -> None:
    assert request_id("close", "windows/1") == request_id("close", "windows/1")
    assert request_id("close", "windows/1") != request_id("close", "windows/2") != request_id("run", "windows/2")


@pytest.mark.parametrize(
    ("units", "nanos", "text"),
    [(12, 40_000_000, "12.04 EUR"), (0, -500_000_000, "-0.50 EUR"), (-3, 0, "-3.00 EUR"), (1, 1_000_000, "1.001 EUR")],
)
def test_money_is_written_with_all_its_digits(units: int, nanos: int, text: str) -> None:
    assert money(Money(currency_code="EUR", units=units, nanos=nanos)) == text


def test_an_answer_for_programs_says_what_comes_next_and_with_which_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        tell({"batch": "batches/1"}, then="coalition settle release B1", code=BLOCKED, output=Output.JSON)
    assert left.value.exit_code == BLOCKED
    said = json.loads(capsys.readouterr().out)
    assert said == {"batch": "batches/1", "next": "coalition settle release B1", "code": 4}


class _Nobody:
    targets: dict[str, str] = {}  # noqa: RUF012  a stand-in

    @property
    def authority(self) -> _Nobody:
        return self

    def operator(self, _: str) -> None:
        return None


def _no_platform(_: object) -> _Nobody:
    return _Nobody()
