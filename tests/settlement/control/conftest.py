"""A database for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.settlement.control.bureau import Bureau
from tests.support.databases import Databases


@pytest.fixture(scope="module")
def bureau(databases: Databases) -> Iterator[Bureau]:
    one = Bureau(databases)
    yield one
    one.leave()
