"""Clerks: each test has its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settlement.clerk import Clerk
from tests.support.databases import Databases


@pytest.fixture
def clerk(databases: Databases, tmp_path: Path) -> Iterator[Clerk]:
    """Who makes batches, with a database of its own."""
    made = Clerk(databases, tmp_path)
    yield made
    made.leave()
