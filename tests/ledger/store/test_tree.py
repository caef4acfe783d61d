"""Each bucket's tree at any size: the same as over all leaves at once, whatever of it is stored, and by whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.store.session import reading
from services.ledger.store.tree import TILE, Tree
from services.ledger.store.tree.keeper import TreeKeeper
from services.ledger.store.tree.nodes import tops
from shared.merkle import Node, consistency_path, inclusion_path, root
from tests.ledger.store.forest import BUCKETS, Forest
from tests.support.databases import Databases
from tests.support.together import at_once, until

MOST = 9 * TILE + 37


@pytest.fixture(scope="module")
def grown(databases: Databases) -> Iterator[Forest]:
    """Bucket 0 has all its complete nodes, bucket 1 some, bucket 2 none, bucket 3 no entries."""
    forest = Forest(databases)
    for bucket in range(3):
        forest.grow(bucket, MOST)
    forest.tree.extend(0, MOST)
    forest.tree.extend(1, 4 * TILE + 99)
    yield forest
    forest.close()


@pytest.fixture
def forest(databases: Databases) -> Iterator[Forest]:
    """A test's own."""
    one = Forest(databases)
    yield one
    one.close()


def top(forest: Forest, bucket: int, size: int) -> bytes:
    with reading(forest.engine) as cursor:
        return tops(cursor, [(bucket, range(size))])[0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bucket=st.integers(0, 2), size=st.integers(0, MOST))
def test_the_root_at_any_size_is_the_one_over_all_leaves(grown: Forest, bucket: int, size: int) -> None:
    assert top(grown, bucket, size) == root(grown.leaves[bucket][:size])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.tuples(*[st.integers(0, MOST)] * 3, st.just(0)))
def test_the_roots_of_several_buckets_are_asked_for_at_once(grown: Forest, sizes: tuple[int, ...]) -> None:
    with reading(grown.engine) as cursor:
        found = tops(cursor, [(bucket, range(size)) for bucket, size in enumerate(sizes)])
    assert found == [root(grown.leaves[bucket][:size]) for bucket, size in enumerate(sizes)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, MOST), data=st.data())
def test_paths_are_those_over_all_leaves(grown: Forest, size: int, data: st.DataObject) -> None:
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    leaves = grown.leaves[0][:size]
    assert grown.tree.inclusion(0, index, size) == inclusion_path(leaves, index)
    assert grown.tree.consistency([(first, size)]) == [consistency_path(leaves, first)]


def test_stored_are_all_complete_nodes_from_a_tile_up_and_nothing_else(forest: Forest) -> None:
    forest.grow(0, MOST)
    forest.grow(2, TILE)
    forest.grow(3, TILE - 1)
    forest.tree.catch_up()
    expected = {
        (bucket, level, position): root(forest.leaves[bucket][part.start : part.stop])
        for bucket in range(BUCKETS)
        for level in range(8, 13)
        for position in range(len(forest.leaves[bucket]) >> level)
        for part in [Node(level, position).leaves]
    }
    assert len(expected) == 9 + 4 + 2 + 1 + 1
    assert forest.stored() == expected
    assert forest.tree.behind() == []
    assert forest.difference() is None


def test_a_tree_that_grows_little_by_little_is_the_same_tree(forest: Forest) -> None:
    for size in (1, TILE - 1, TILE, TILE + 1, 3 * TILE, 5 * TILE + 5, MOST):
        forest.grow(1, size)
        assert forest.tree.behind() == ([(1, size)] if size in (TILE, 3 * TILE, 5 * TILE + 5, MOST) else [])
        forest.tree.catch_up()
        assert top(forest, 1, size) == root(forest.leaves[1])
    assert forest.difference() is None


def test_several_processes_may_store_the_same_nodes_at_once(forest: Forest) -> None:
    for bucket in range(BUCKETS):
        forest.grow(bucket, 70 * TILE)
    at_once([partial(Tree(forest.engine).extend, bucket, 70 * TILE) for _ in range(2) for bucket in range(BUCKETS)])
    assert len(forest.stored()) == BUCKETS * (70 + 35 + 17 + 8 + 4 + 2 + 1)
    assert forest.difference() is None


def test_reading_a_proof_touches_few_rows_however_long_the_journal_is(forest: Forest) -> None:
    """A tile at each end and log n nodes; the rest of the entries might as well not be there."""
    forest.grow(0, 300 * TILE + 17)
    forest.tree.catch_up()
    with forest.tampering() as connection:
        connection.execute("DELETE FROM ledger.entries WHERE seq > 100 * 256 AND seq <= 300 * 256 AND bucket = 0")
    index, size = 99 * TILE + 30, 300 * TILE + 17
    assert forest.tree.inclusion(0, index, size) == inclusion_path(forest.leaves[0], index)
    assert forest.tree.consistency([(100 * TILE, size)]) == [consistency_path(forest.leaves[0], 100 * TILE)]


def test_an_entry_that_is_missing_is_named_and_no_root_made_up(forest: Forest) -> None:
    forest.grow(1, 2 * TILE + 3)
    with forest.tampering() as connection:
        connection.execute("DELETE FROM ledger.entries WHERE bucket = 1 AND seq = 300")
    acts: list[Callable[[], object]] = [forest.tree.catch_up, lambda: top(forest, 1, 400), forest.taken]
    for act in acts:
        with pytest.raises(JournalCorrupt) as caught:
            act()
        assert str(caught.value.facts["entry"]) == "1-300"
    assert forest.stored() == {}


def test_the_keeper_stores_what_has_become_complete_and_survives_what_it_cannot(forest: Forest) -> None:
    keeper = TreeKeeper(forest.tree, interval=0.01)
    keeper.start()
    try:
        forest.grow(0, 2 * TILE)
        until(lambda: len(forest.stored()) == 3)
        forest.grow(2, 70 * TILE)
        until(lambda: len(forest.stored()) == 3 + 137)
        with forest.tampering() as connection:
            connection.execute("ALTER TABLE ledger.tree_nodes RENAME TO away")
            forest.grow(0, 3 * TILE)
            time.sleep(0.1)
            connection.execute("ALTER TABLE ledger.away RENAME TO tree_nodes")
        until(lambda: forest.tree.behind() == [])
    finally:
        keeper.stop()
    assert forest.difference() is None


def test_a_bucket_whose_tree_cannot_grow_keeps_no_other_from_growing(forest: Forest) -> None:
    for bucket in (0, 1):
        forest.grow(bucket, TILE)
    with forest.tampering() as connection:
        connection.execute("DELETE FROM ledger.entries WHERE bucket = 0 AND seq = 9")
    keeper = TreeKeeper(forest.tree, interval=0.01)
    keeper.start()
    try:
        until(lambda: (1, 8, 0) in forest.stored())
    finally:
        keeper.stop()
    assert forest.tree.behind() == [(0, TILE)]
