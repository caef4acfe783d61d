"""The till that a test stands at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ledger.till import Till, till_of
from tests.support.platform import RunningPlatform


@pytest.fixture
def till(platform: RunningPlatform) -> Till:
    """A partner of the test's own."""
    return till_of(platform)


@pytest.fixture
def unharmed(till: Till) -> Iterator[None]:
    """After the test a good call works."""
    yield
    assert till.award(till.grant(), 7).balance.available == 7
