"""What the journeys may ask for beside the shared platform."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.platform import RunningPlatform, platform_in


@pytest.fixture(scope="session")
def own_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A platform that no other test uses: for those who let years pass, or take the database away."""
    with platform_in(tmp_path_factory.mktemp("own")) as running:
        yield running
