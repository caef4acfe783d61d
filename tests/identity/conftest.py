"""Identity, running for the tests of its wire and its store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.identity.house import House, Partner
from tests.support.databases import Databases


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[House]:
    """One for all tests: each makes its own partners and members."""
    running = House(tmp_path_factory.mktemp("identity"), databases)
    yield running
    running.close()


@pytest.fixture
def grocer(house: House) -> Partner:
    return house.partner()


@pytest.fixture
def baker(house: House) -> Partner:
    return house.partner()
