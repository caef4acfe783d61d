"""All heads at one moment, and what is signed about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.ledger.domain.apply import Head
from shared.canonical import canonical
from shared.merkle import leaf_hash, root


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Heads in bucket order; `created_at` in microseconds; signature and key id of the operator's Ed25519 key."""

    number: int
    heads: tuple[Head, ...]
    root: bytes
    entry_count: int
    created_at: int
    signature: bytes = b""
    key_id: str = ""


def heads_root(heads: Sequence[Head]) -> bytes:
    """RFC 6962 root over the canonical heads."""
    return root([leaf_hash(canonical({"bucket": h.bucket, "hash": h.hash.hex(), "seq": h.seq})) for h in heads])


def signed_form(number: int, heads_root_: bytes, entry_count: int, created_at: int) -> bytes:
    """The bytes under the signature."""
    return canonical(
        {
            "created_at": created_at,
            "entry_count": entry_count,
            "number": number,
            "root": heads_root_.hex(),
            "v": 1,
        }
    )
