"""Cashiers: each test has its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settlement.bank import Bank, bank_in
from tests.settlement.cashier import Cashier
from tests.settlement.house import House
from tests.support.databases import Databases


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
