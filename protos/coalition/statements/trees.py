"""Proofs over the Merkle trees of RFC 6962, checked with the standard library alone.

A leaf is hashed after a byte 0, a node after a byte 1; the tree of n leaves splits at the largest power of two below n.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf, hashed, stands at `index` in the tree of `size` leaves with that root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, siblings = leaf, size - 1, iter(path)
    while last > 0:
        if index % 2 or index < last:
            sibling = next(siblings, None)
            if sibling is None:
                return False
            node = node_hash(sibling, node) if index % 2 else node_hash(node, sibling)
        index, last = index // 2, last // 2
    return node == root and next(siblings, None) is None


def is_consistent(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of `second` leaves begins with that of `first` leaves (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first in (0, second):
        return not path and first_root == (second_root if first else EMPTY_ROOT)
    siblings = iter(path if first & (first - 1) else [first_root, *path])
    index, last = first - 1, second - 1
    while index % 2:
        index, last = index // 2, last // 2
    old = new = next(siblings, b"")
    for sibling in siblings:
        if not last:
            return False
        if index % 2 or index == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while index and not index % 2:
                index, last = index // 2, last // 2
        else:
            new = node_hash(new, sibling)
        index, last = index // 2, last // 2
    return not last and (old, new) == (first_root, second_root)
