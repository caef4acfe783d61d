"""Trees as RFC 6962 hashes them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merkle import (
    EMPTY_ROOT,
    Growing,
    Node,
    complete_nodes,
    consistency_path,
    consistency_ranges,
    folded,
    inclusion_path,
    inclusion_ranges,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root,
    root_of_path,
)

# The log of Google's certificate-transparency implementation, and its roots after each leaf.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Its proofs: leaf (from 0) and size, and sizes before and after.
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E, F = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)
INCLUSION = {
    (0, 1): [],
    (0, 8): [A, B, C],
    (5, 8): [D, E, ROOTS[3]],
    (2, 3): [ROOTS[1]],
    (1, 5): [ROOTS[0], B, D],
}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, ROOTS[3]], (2, 5): [B, D]}

many = st.lists(st.binary(max_size=8), min_size=1, max_size=70, unique=True)


def recursive(leaves: Sequence[bytes]) -> bytes:
    """The definition in section 2.1 of the RFC."""
    if len(leaves) < 2:
        return sha256(b"\x00" + leaves[0]).digest() if leaves else sha256().digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + recursive(leaves[:split]) + recursive(leaves[split:])).digest()


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert root([]) == EMPTY_ROOT == sha256().digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots(size: int) -> None:
    assert root([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size - 1]


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_level_by_level_gives_the_recursive_tree(leaves: list[bytes]) -> None:
    assert root([leaf_hash(leaf) for leaf in leaves]) == recursive(leaves)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40, unique=True), st.data())
def test_a_path_proves_its_leaf_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, len(leaves) - 1))
    path, top = inclusion_path(hashes, index), root(hashes)
    assert is_included(hashes[index], index, len(hashes), path, top)
    assert is_included(hashes[other], index, len(hashes), path, top) == (other == index)
    assert is_included(hashes[index], other, len(hashes), path, top) == (other == index)
    assert not is_included(hashes[index], index, len(hashes), [*path, top], top)
    assert not path or not is_included(hashes[index], index, len(hashes), path[:-1], top)


@pytest.mark.parametrize("place", INCLUSION)
def test_the_published_inclusion_paths(place: tuple[int, int]) -> None:
    index, size = place
    path = inclusion_path([leaf_hash(leaf) for leaf in LEAVES[:size]], index)
    assert [hash_.hex() for hash_ in path] == INCLUSION[place]
    assert is_included(leaf_hash(LEAVES[index]), index, size, path, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize("sizes", CONSISTENCY)
def test_the_published_consistency_paths(sizes: tuple[int, int]) -> None:
    first, second = sizes
    path = consistency_path([leaf_hash(leaf) for leaf in LEAVES[:second]], first)
    assert [hash_.hex() for hash_ in path] == CONSISTENCY[sizes]
    before, after = (bytes.fromhex(ROOTS[size - 1]) for size in sizes)
    assert is_consistent(first, second, before, after, path)


def proof_of(first: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of section 2.1.2, as it is written there."""
    if first == len(leaves):
        return [] if whole else [recursive(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if first <= split:
        return [*proof_of(first, leaves[:split], whole), recursive(leaves[split:])]
    return [*proof_of(first - split, leaves[split:], False), recursive(leaves[:split])]


@given(many, st.data())
def test_a_consistency_path_is_the_recursive_one_and_proves_its_two_roots_only(
    leaves: list[bytes], data: st.DataObject
) -> None:
    first, second = data.draw(st.integers(1, len(leaves))), len(leaves)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    path, old, new = consistency_path(hashes, first), root(hashes[:first]), root(hashes)
    assert path == proof_of(first, leaves)
    assert is_consistent(first, second, old, new, path)
    assert not is_consistent(first, second, old, new, [*path, new])
    assert not is_consistent(first, second, node_hash(old, old), new, path)
    assert not is_consistent(first, second, old, node_hash(new, new), path)
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        assert not is_consistent(first, second, old, new, path[:-1])
        assert not is_consistent(first, second, old, new, [*path[:place], node_hash(old, new), *path[place + 1 :]])


@given(many, many, st.data())
def test_a_tree_with_another_history_is_never_consistent(
    one: list[bytes], other: list[bytes], data: st.DataObject
) -> None:
    """Whatever is shown as its path: the honest one, or any hashes of either tree."""
    first = data.draw(st.integers(1, len(one)))
    second = data.draw(st.integers(first, first + len(other)))
    now = [leaf_hash(leaf) for leaf in (other + one)[:second]]
    before = [leaf_hash(leaf) for leaf in one[:first]]
    if len(now) < second or now[:first] == before:
        return
    path = data.draw(st.one_of(st.just(consistency_path(now, first)), st.lists(st.sampled_from(before + now))))
    assert not is_consistent(first, second, root(before), root(now), path)


@given(many)
def test_nothing_and_equal_trees_need_no_path(leaves: list[bytes]) -> None:
    top, size = root([leaf_hash(leaf) for leaf in leaves]), len(leaves)
    assert consistency_ranges(0, size) == consistency_ranges(size, size) == []
    assert is_consistent(0, size, EMPTY_ROOT, top, [])
    assert is_consistent(size, size, top, top, [])
    assert not is_consistent(0, size, top, top, [])
    assert not is_consistent(size, size, EMPTY_ROOT, top, [])
    assert not is_consistent(0, size, EMPTY_ROOT, top, [top])
    assert not is_consistent(size, size, top, top, [top])
    assert not is_consistent(size + 1, size, top, top, [])
    assert not is_consistent(-1, size, EMPTY_ROOT, top, [])


@pytest.mark.parametrize(("first", "second"), [(-1, 5), (6, 5)])
def test_a_tree_does_not_go_back(first: int, second: int) -> None:
    with pytest.raises(IndexError):
        consistency_ranges(first, second)


@given(many, st.data())
def test_complete_subtrees_give_every_root_and_every_path(leaves: list[bytes], data: st.DataObject) -> None:
    """What a ledger keeps: nodes that never change, and from them any tree of any size."""
    hashes, growing, kept = [leaf_hash(leaf) for leaf in leaves], Growing(), dict[Node, bytes]()
    for size, hash_ in enumerate(hashes, start=1):
        kept.update(growing.add(hash_))
        assert (growing.count, growing.root()) == (size, root(hashes[:size]))
    assert kept == {node: root(hashes[node.leaves.start : node.leaves.stop]) for node in kept}
    size = data.draw(st.integers(1, len(leaves)))
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))

    def top(part: range) -> bytes:
        return folded([kept[node] for node in complete_nodes(part)])

    assert top(range(size)) == root(hashes[:size])
    assert list(map(top, inclusion_ranges(index, size))) == inclusion_path(hashes[:size], index)
    assert list(map(top, consistency_ranges(first, size))) == consistency_path(hashes[:size], first)


@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 3))
def test_a_tree_that_grows_by_tiles_has_the_same_roots(leaves: list[bytes], level: int) -> None:
    hashes, tile, growing = [leaf_hash(leaf) for leaf in leaves], 1 << level, Growing(level)
    whole = len(hashes) // tile * tile
    for start in range(0, whole, tile):
        growing.add(root(hashes[start : start + tile]))
    rest = [root(hashes[whole:])] if hashes[whole:] else []
    assert growing.root(rest) == root(hashes)
    nodes = complete_nodes(range(whole))
    peaks = [root(hashes[node.leaves.start : node.leaves.stop]) for node in nodes]
    assert Growing(level, growing.count, peaks).root(rest) == root(hashes)
    assert all(node.level >= level for node in nodes)


def test_a_node_is_never_taken_for_a_leaf() -> None:
    one, other = leaf_hash(b"1"), leaf_hash(b"2")
    assert leaf_hash(one + other) != node_hash(one, other)


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_path_beside_the_tree(index: int) -> None:
    hashes = [leaf_hash(b"1"), leaf_hash(b"2")]
    with pytest.raises(IndexError):
        inclusion_path(hashes, index)
    assert root_of_path(hashes[0], index, 2, [hashes[1]]) is None
