"""Points and money are exact wherever they are computed, kept or sent."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, Source, part, sources

EXACT = part("domain") + sources("shared/money/**/*.py", "shared/canonical.py", "shared/merkle.py")
KEPT = part("store") + sources("services/*/migrations/**/*.py")
INEXACT_COLUMNS = {"Float", "Double", "REAL", "FLOAT", "DOUBLE", "DOUBLE_PRECISION"}
INEXACT_FIELD = re.compile(r"^\s*(?:optional |repeated )?(?:double|float) \w+ = |map<.*\b(?:double|float)>")


@pytest.mark.parametrize("source", EXACT, ids=lambda source: source.path)
def test_no_float_stands_where_points_and_money_are_computed(source: Source) -> None:
    nodes = list(ast.walk(source.tree))
    literals = [source.at(n) for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, float)]
    names = [source.at(n) for n in nodes if isinstance(n, ast.Name) and n.id == "float"]
    assert literals + names == []


@pytest.mark.parametrize("source", KEPT, ids=lambda source: source.path)
def test_no_column_is_a_float(source: Source) -> None:
    assert [source.at(node) for node, name in source.imports() if name.rpartition(".")[2] in INEXACT_COLUMNS] == []
    used = (node for node in ast.walk(source.tree) if isinstance(node, ast.Attribute) and node.attr in INEXACT_COLUMNS)
    assert [source.at(node) for node in used] == []
    declared = re.compile(r"\b(double precision|real|float[48]?)\b", re.IGNORECASE)
    assert [source.at(text) for text in source.texts() if declared.search(str(text.value))] == []


@pytest.mark.parametrize("contract", sorted((ROOT / "protos/coalition").rglob("*.proto")), ids=lambda path: path.stem)
def test_no_field_of_a_contract_is_a_float(contract: Path) -> None:
    assert [line for line in contract.read_text().splitlines() if INEXACT_FIELD.search(line)] == []
