"""All heads at one moment, and what is signed about them.

Two forms are signed. Version 1 covers the heads alone: readers of the first release know no other. Version 2 covers
also a tree over the buckets' trees, so that a single entry can be shown to lie under the checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.ledger.domain.apply import Head
from shared.canonical import Canonical, canonical
from shared.merkle import leaf_hash, root


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Heads in bucket order; `created_at` in microseconds; signatures and key id of the operator's Ed25519 key.

    `tree_roots` are the roots of the buckets' trees at their heads, in bucket order, `tree_root` is the one over
    them, signed in `tree_signature`. A checkpoint of the first release has none of the three.
    """

    number: int
    heads: tuple[Head, ...]
    root: bytes
    entry_count: int
    created_at: int
    signature: bytes = b""
    key_id: str = ""
    tree_roots: tuple[bytes, ...] = ()
    tree_root: bytes = b""
    tree_signature: bytes = b""


def heads_root(heads: Sequence[Head]) -> bytes:
    """RFC 6962 root over the canonical heads."""
    return root([leaf_hash(canonical({"bucket": h.bucket, "hash": h.hash.hex(), "seq": h.seq})) for h in heads])


def bucket_leaves(heads: Sequence[Head], tree_roots: Sequence[bytes]) -> list[bytes]:
    """The leaves of the tree over the buckets: each bucket with its size and the root over its entries."""
    return [
        leaf_hash(canonical({"bucket": head.bucket, "root": tree_root.hex(), "seq": head.seq}))
        for head, tree_root in zip(heads, tree_roots, strict=True)
    ]


def signed_form(number: int, heads_root_: bytes, entry_count: int, created_at: int) -> bytes:
    """The bytes under `signature`: version 1."""
    return canonical(_form(number, heads_root_, entry_count, created_at) | {"v": 1})


def signed_tree_form(number: int, heads_root_: bytes, tree_root: bytes, entry_count: int, created_at: int) -> bytes:
    """The bytes under `tree_signature`: version 2."""
    return canonical(_form(number, heads_root_, entry_count, created_at) | {"tree_root": tree_root.hex(), "v": 2})


def _form(number: int, heads_root_: bytes, entry_count: int, created_at: int) -> dict[str, Canonical]:
    return {"created_at": created_at, "entry_count": entry_count, "number": number, "root": heads_root_.hex()}
