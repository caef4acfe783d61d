"""A cashier whose batch 1 is at the bank: A and B are to be paid, C pays in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settlement.reconciling.counter import Counter
from tests.support.databases import Databases


@pytest.fixture
def counter(databases: Databases, tmp_path: Path) -> Iterator[Counter]:
    """A test's own."""
    one = Counter(databases, tmp_path)
    yield one
    one.leave()
