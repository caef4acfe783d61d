"""A vault that tests share, each with wallets of its own, and fresh ones for tests that break theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services.ledger.store.writer import LaneLimits
from tests.ledger.store.vault import Vault
from tests.support.databases import Databases

Vaults = Callable[[int, LaneLimits], Vault]


@pytest.fixture(scope="session")
def vault(databases: Databases) -> Iterator[Vault]:
    """Shared: its clock only goes forward, and its journal is sound after every test."""
    shared = Vault(databases)
    yield shared
    shared.close()


@pytest.fixture
def vaults(databases: Databases) -> Iterator[Vaults]:
    """Makes vaults with as many lanes, and limits, as a test wants."""
    made: list[Vault] = []

    def make(lanes: int, limits: LaneLimits) -> Vault:
        made.append(Vault(databases, lanes=lanes, limits=limits))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def own_vault(vaults: Vaults) -> Vault:
    """A test's own, to do with as it likes."""
    return vaults(4, LaneLimits())
