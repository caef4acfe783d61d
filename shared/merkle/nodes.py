"""Complete subtrees: the parts of a growing tree that never change again.

A tree of any size is made of few of them, so who keeps them has every root and every path at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.merkle.hashing import EMPTY_ROOT, node_hash


class Node(NamedTuple):
    """The complete subtree over the leaves from `position << level` to `position + 1 << level` exclusive."""

    level: int
    position: int

    @property
    def leaves(self) -> range:
        return range(self.position << self.level, self.position + 1 << self.level)


def complete_nodes(leaves: range) -> list[Node]:
    """The complete subtrees that a subtree is made of, from left to right.

    `leaves` are those of the subtree: it begins where a complete tree of its depth could begin.
    """
    nodes, start = [], leaves.start
    while start < leaves.stop:
        level = (leaves.stop - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def folded(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, which get smaller from left to right."""
    if not hashes:
        return EMPTY_ROOT
    *others, top = hashes
    for left in reversed(others):
        top = node_hash(left, top)
    return top


class Growing:
    """The complete subtrees from `level` up, while one after the other is added at the right end.

    `count` of that level are there already; `peaks` are the hashes of `complete_nodes(range(count))`.
    """

    def __init__(self, level: int = 0, count: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self._level = level
        self.count = count
        self._peaks = list(peaks)

    def add(self, hash_: bytes) -> list[tuple[Node, bytes]]:
        """Add the next node of the lowest level; answers it, and those above that it completes."""
        level, position = self._level, self.count
        done = [(Node(level, position), hash_)]
        while position % 2:
            hash_ = node_hash(self._peaks.pop(), hash_)
            level, position = level + 1, position // 2
            done.append((Node(level, position), hash_))
        self._peaks.append(hash_)
        self.count += 1
        return done

    def root(self, rest: Sequence[bytes] = ()) -> bytes:
        """The root over all that was added, with one more hash for the leaves behind it, where there are any."""
        return folded([*self._peaks, *rest])
