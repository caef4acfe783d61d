"""A house for each test, and its client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from coalition.client import Coalition, connect

from tests.client.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.stop()


@pytest.fixture
def coalition(house: House) -> Iterator[Coalition]:
    with connect(house.kit) as coalition:
        yield coalition
