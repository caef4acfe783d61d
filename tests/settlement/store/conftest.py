"""Offices: each test has its own, unless it only looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.settlement.store.office import Office
from tests.support.databases import Databases

Offices = Callable[[], Office]


@pytest.fixture
def offices(databases: Databases) -> Iterator[Offices]:
    """Makes as many as a test wants."""
    made: list[Office] = []

    def make() -> Office:
        made.append(Office(databases))
        return made[-1]

    yield make
    for one in made:
        one.leave()


@pytest.fixture
def office(offices: Offices) -> Office:
    """A test's own."""
    return offices()
