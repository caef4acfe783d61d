"""What a verification says: progress, the first difference, and how two tables of the same facts are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Progress:
    """Entries looked at so far, of how many."""

    entries: int
    total: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not agree: what it is, which one, and what was expected and found in one sentence."""

    subject: str
    name: str
    detail: str


class Differs(Exception):
    """Ends a verification at its first difference."""

    def __init__(self, subject: str, name: str, detail: str) -> None:
        super().__init__(detail)
        self.difference = Difference(subject, name, detail)


def compare(subject: str, expected: Mapping[K, object], stored: Mapping[K, object], name: Callable[[K], str]) -> None:
    """Raises Differs at the first key whose facts differ: those that the journal gives first, then what is too much."""
    if expected == stored:
        return
    for key in [*expected, *(key for key in stored if key not in expected)]:
        if expected.get(key) != stored.get(key):
            detail = f"the journal gives {shown(expected.get(key))}, the table holds {shown(stored.get(key))}"
            raise Differs(subject, name(key), detail)


def shown(facts: object) -> str:
    """Facts for people."""
    if facts is None:
        return "no such row"
    if isinstance(facts, list | tuple):
        return "(" + ", ".join(part.hex() if isinstance(part, bytes) else str(part) for part in facts) + ")"
    return str(facts)
