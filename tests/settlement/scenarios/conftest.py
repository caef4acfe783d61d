"""Who plays the failure scenarios of the specification; each test under its number has its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.settlement.bank import Bank, bank_in
from tests.settlement.cashier import Cashier
from tests.settlement.clerk import Clerk
from tests.settlement.house import House
from tests.settlement.store.office import Office
from tests.support.databases import Databases


@pytest.fixture
def clerk(databases: Databases, tmp_path: Path) -> Iterator[Clerk]:
    """Who makes batches, with a database of its own."""
    made = Clerk(databases, tmp_path)
    yield made
    made.leave()


@pytest.fixture
def cashier(databases: Databases, tmp_path: Path) -> Iterator[Cashier]:
    """Who pays, with a database of its own."""
    made = Cashier(databases, tmp_path)
    yield made
    made.leave()


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    """The test bank, running."""
    with bank_in(tmp_path) as running:
        yield running


@pytest.fixture(params=["http", "folder"])
def house(request: pytest.FixtureRequest, cashier: Cashier, bank: Bank) -> House:
    """A cashier and a bank, over each way between them."""
    return House(cashier, bank, str(request.param))


@pytest.fixture
def offices(databases: Databases) -> Iterator[Callable[[], Office]]:
    """Makes as many as a test wants: who counts and closes, each with a database of its own."""
    made: list[Office] = []

    def make() -> Office:
        made.append(Office(databases))
        return made[-1]

    yield make
    for one in made:
        one.leave()


@pytest.fixture
def office(offices: Callable[[], Office]) -> Office:
    """A test's own."""
    return offices()
