"""Proofs over RFC 6962 trees: that a leaf is in one, and that one goes on where another ended.

Each hash of a proof stands for a subtree. Which subtrees these are follows from the sizes alone (`..._ranges`), so
whoever keeps a tree in parts reads just those.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.merkle.hashing import EMPTY_ROOT, node_hash, root


def inclusion_ranges(index: int, size: int) -> list[range]:
    """The leaves below each hash of an inclusion path, lowest first (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise IndexError(f"there is no leaf {index} among {size}")
    start, stop, ranges = 0, size, []
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            ranges.append(range(middle, stop))
            stop = middle
        else:
            ranges.append(range(start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(first: int, second: int) -> list[range]:
    """The leaves below each hash of a consistency path, lowest first (RFC 6962, 2.1.2).

    Between equal sizes, and from a tree without leaves, there is nothing to prove.
    """
    if not 0 <= first <= second:
        raise IndexError(f"a tree of {second} leaves does not go on where one of {first} ended")
    start, stop, ranges = 0, second, []
    while 0 < first != stop:
        middle = start + _split(stop - start)
        if first <= middle:
            ranges.append(range(middle, stop))
            stop = middle
        else:
            ranges.append(range(start, middle))
            start = middle
    if start:
        ranges.append(range(start, stop))
    return ranges[::-1]


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings, lowest first, that lead from leaf `index` to the root."""
    return [root(leaf_hashes[part.start : part.stop]) for part in inclusion_ranges(index, len(leaf_hashes))]


def consistency_path(leaf_hashes: Sequence[bytes], first: int) -> list[bytes]:
    """What leads from the root over the `first` leaves to the root over all of them."""
    return [root(leaf_hashes[part.start : part.stop]) for part in consistency_ranges(first, len(leaf_hashes))]


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf's hash and its siblings lead to, or None where the path does not fit the tree's size."""
    if not 0 <= index < size:
        return None
    node, last, siblings = leaf, size - 1, iter(path)
    while last > 0:
        if index % 2 or index < last:
            sibling = next(siblings, None)
            if sibling is None:
                return None
            node = node_hash(sibling, node) if index % 2 else node_hash(node, sibling)
        index //= 2
        last //= 2
    return node if next(siblings, None) is None else None


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether the leaf's hash stands at `index` in the tree of `size` leaves with that root."""
    return root_of_path(leaf, index, size, path) == expected_root


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


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1
