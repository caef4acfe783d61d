"""Merkle trees of RFC 6962: roots, complete subtrees that never change, and proofs that anybody can check.

The tree of n leaves splits at the largest power of two below n, so a proof is the same for everybody.
"""

from __future__ import annotations

from shared.merkle.hashing import EMPTY_ROOT, leaf_hash, node_hash, root
from shared.merkle.nodes import Growing, Node, complete_nodes, folded
from shared.merkle.paths import (
    consistency_path,
    consistency_ranges,
    inclusion_path,
    inclusion_ranges,
    is_consistent,
    is_included,
    root_of_path,
)

__all__ = [
    "EMPTY_ROOT",
    "Growing",
    "Node",
    "complete_nodes",
    "consistency_path",
    "consistency_ranges",
    "folded",
    "inclusion_path",
    "inclusion_ranges",
    "is_consistent",
    "is_included",
    "leaf_hash",
    "node_hash",
    "root",
    "root_of_path",
]
