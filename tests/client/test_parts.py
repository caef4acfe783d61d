"""The client stands alone: what a partner installs is all that it needs, and it knows the platform's own words."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from coalition.client.refusals import TYPES
from coalition.client.refused import Refused

from tests.architecture.sources import ROOT, sources
from tests.client.reasons import reasons

INSTALLED = {"coalition", "google", "grpc"}
GRPCS_OWN = {
    "CALL_CANCELLED",
    "DEADLINE_EXCEEDED",
    "MESSAGE_TOO_LARGE",
    "METHOD_UNKNOWN",
    "SERVICE_BUSY",
    "SERVICE_UNAVAILABLE",
}


def test_the_client_needs_only_what_its_wheel_asks_for() -> None:
    client = sources("protos/coalition/client/**/*.py")
    assert client
    foreign = [
        f"{source.at(node)} imports {name}"
        for source in client
        for node, name in source.imports()
        if name.split(".")[0] not in INSTALLED | sys.stdlib_module_names
    ]
    assert foreign == []


def test_no_service_uses_the_client() -> None:
    users = [
        source.at(node)
        for source in sources("services/**/*.py", "shared/**/*.py")
        for node, name in source.imports()
        if name.startswith("coalition.client")
    ]
    assert users == []


def test_the_client_says_that_it_is_typed() -> None:
    assert (ROOT / "protos/coalition/py.typed").exists()


@pytest.mark.parametrize("reason", sorted(set(TYPES) - GRPCS_OWN))
def test_a_typed_refusal_is_one_that_the_platform_knows(reason: str) -> None:
    assert reason in reasons()


@pytest.mark.parametrize("reason", sorted(TYPES))
def test_a_fact_of_a_typed_refusal_is_one_that_the_platform_sends(reason: str) -> None:
    known = reasons().get(reason)
    assert _facts_read_by(TYPES[reason]) <= (known.facts if known else set())


def _facts_read_by(refusal: type[Refused]) -> set[str]:
    """The metadata names in `self.fact("...")` and `self.number("...")` of a class."""
    module = sys.modules[refusal.__module__]
    assert module.__file__
    [found] = [
        node
        for node in ast.walk(ast.parse(Path(module.__file__).read_text()))
        if isinstance(node, ast.ClassDef) and node.name == refusal.__name__
    ]
    return {
        str(call.args[0].value)
        for call in ast.walk(found)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"fact", "number"}
        and isinstance(call.args[0], ast.Constant)
    }
