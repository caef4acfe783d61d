"""Trees as RFC 6962 hashes them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merkle import EMPTY_ROOT, inclusion_path, is_included, leaf_hash, node_hash, root, root_of_path

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


def test_a_node_is_never_taken_for_a_leaf() -> None:
    one, other = leaf_hash(b"1"), leaf_hash(b"2")
    assert leaf_hash(one + other) != node_hash(one, other)


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_path_beside_the_tree(index: int) -> None:
    hashes = [leaf_hash(b"1"), leaf_hash(b"2")]
    with pytest.raises(IndexError):
        inclusion_path(hashes, index)
    assert root_of_path(hashes[0], index, 2, [hashes[1]]) is None
