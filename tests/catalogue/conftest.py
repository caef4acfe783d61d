"""Catalogue and ledger, running for the tests of the catalogue's wire and store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalogue.house import House, Till
from tests.support.databases import Databases


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[House]:
    """One for all tests: each makes its own partners and wallets."""
    running = House(tmp_path_factory.mktemp("catalogue"), databases)
    yield running
    running.close()


@pytest.fixture
def till(house: House) -> Till:
    """A partner who gives one point for each euro."""
    return house.till()
