"""Every call of settlement that is meant for finance is reached by a command; what is not is listed with its reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from services import cli, sandbox
from services.cli.main import app
from services.settlement.access import ACCESS

WITHOUT: dict[str, str] = {
    "OpenDispute": "a partner's own objection: its client and its API, never the operator's",
    "WithdrawDispute": "as OpenDispute",
    "GetInclusionProof": "what a partner asks; `coalition statement verify` checks the proofs in a statement",
    "ImportBankFile": "`bank import` sends every file by UploadBankFile, which is the same import at any size",
    "GetPrefunding": "`fund` lists them with all they have",
}
"""Reviewed: a call stands here only with a reason why no person of the operator's types it."""

READS_BY = (Path(cli.__file__).parent, Path(sandbox.__file__).parent)


def called() -> set[str]:
    """Names that code of the command line says after a point: the methods of stubs are among them."""
    files = [file for folder in READS_BY for file in folder.rglob("*.py")]
    trees = [ast.parse(file.read_text()) for file in files]
    return {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def words(command: typer.core.TyperGroup | object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The words of every command below."""
    below = getattr(command, "commands", None)
    if below is None:
        return [path]
    return [found for name, one in below.items() for found in words(one, (*path, name))]


SETTLE = [("settle", *found) for found in words(getattr(get_command(app), "commands")["settle"])]  # noqa: B009


def test_every_call_is_reached_by_a_command_or_listed_with_its_reason() -> None:
    methods = {method.rpartition("/")[2] for method in ACCESS}
    assert methods - called() == WITHOUT.keys()
    assert all(WITHOUT.values())


@pytest.mark.parametrize("found", SETTLE, ids=" ".join)
def test_every_command_has_help_and_the_options_that_all_have(found: tuple[str, ...]) -> None:
    ran = CliRunner().invoke(app, [*found, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert ran.exit_code == 0, ran.output
    missing = [option for option in ("--output", "--as", "--home") if option not in ran.output]
    assert missing == []
    said = [line for line in ran.output.splitlines() if line.strip() and "Usage" not in line]
    assert said[0].strip().endswith((".", ".."))
