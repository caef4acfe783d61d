"""Homes and PostgreSQL servers of their own for tests that break them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.sandbox.home import Home, made
from services.sandbox.keys import ensure_password
from services.sandbox.postgres.cluster import Cluster

Clusters = Callable[[Path], Cluster]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with its folders and nothing in them."""
    home = Home(tmp_path / "home")
    made(home)
    return home


@pytest.fixture
def clusters() -> Iterator[Clusters]:
    """Makes clusters that are stopped in the end, whatever the test did to them."""
    known: list[Cluster] = []

    def make(folder: Path) -> Cluster:
        home = Home(folder)
        made(home)
        password = home.secrets / "postgres"
        ensure_password(password)
        known.append(Cluster(home, password))
        return known[-1]

    yield make
    for cluster in known:
        cluster.stop()


@pytest.fixture
def cluster(clusters: Clusters, tmp_path: Path) -> Cluster:
    """A cluster that was not started yet."""
    return clusters(tmp_path / "home")
