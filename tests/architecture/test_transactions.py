"""Transactions are visible, SQL has one home, and no statement reads a clock of its own."""

import ast
import re

import pytest

from tests.architecture.sources import Source, platform

MIGRATOR = r"shared/db/.*"  # runs migrations and makes roles; knows no table of ours
WRITER = re.compile(rf"services/ledger/store/writer(\.py|/.*)|{MIGRATOR}")
STORE = re.compile(rf"services/\w+/(store|migrations)(\.py|/.*)|{MIGRATOR}")
# Processes on many machines: one clock has to count, the database's.
LEASES = {"services/ledger/store/leases.py", "services/settlement/store/stepper.py"}
QUERY = re.compile(r"\s*select\b.+\bfrom\b", re.IGNORECASE | re.DOTALL)
CLOCKS = {"now", "current_timestamp", "current_date", "clock_timestamp", "transaction_timestamp", "statement_timestamp"}
CLOCK = re.compile(r"\b(now|(clock|transaction|statement)_timestamp)\(\)|\bcurrent_(timestamp|date)\b", re.IGNORECASE)


@pytest.mark.parametrize("source", platform(), ids=lambda source: source.path)
def test_only_the_ledgers_writer_says_commit(source: Source) -> None:
    if WRITER.fullmatch(source.path):
        return
    calls = (node.func for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    assert [source.at(func) for func in calls if isinstance(func, ast.Attribute) and func.attr == "commit"] == []


@pytest.mark.parametrize("source", platform(), ids=lambda source: source.path)
def test_only_a_store_says_select(source: Source) -> None:
    if STORE.fullmatch(source.path):
        return
    imported = [source.at(node) for node, name in source.imports() if re.fullmatch(r"sqlalchemy\b.*\.select", name)]
    sqlalchemy = {"sqlalchemy", "sa"}
    called = [
        source.at(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr == "select"
        if isinstance(node.value, ast.Name) and node.value.id in sqlalchemy
    ]
    written = [source.at(text) for text in source.texts() if QUERY.match(str(text.value))]
    assert imported + called + written == []


@pytest.mark.parametrize("source", platform(), ids=lambda source: source.path)
def test_no_statement_asks_the_database_for_the_time(source: Source) -> None:
    """Ruff bans Python's clocks outside shared/clock.py; this is the same rule for SQL's."""
    if source.path in LEASES:
        return
    functions = [
        source.at(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS
        if isinstance(node.value, ast.Name) and node.value.id == "func"
    ]
    written = [source.at(text) for text in source.texts() if CLOCK.search(str(text.value))]
    assert functions + written == []
