"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.databases import Databases, databases_in
from tests.support.platform import RunningPlatform, platform_in

# A machine that others use, too, is slow and not wrong: no example fails by the clock.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """One platform per test process. Tests share it: each makes its own partners and members, and time only goes on."""
    with platform_in(tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """One PostgreSQL per test process, in which each test may have databases of its own."""
    with databases_in(tmp_path_factory.mktemp("databases")) as running:
        yield running
