"""The seal of a window: signed when it is closed, over everything that its numbers follow from.

It names both checkpoints, what was counted in each bucket, settlement's own journal, the rollups by their hash, the
engine, and the seal before: whoever changes a row of a sealed window breaks its own seal, and every later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from services.settlement.domain.engine import ENGINE
from services.settlement.domain.lines import Rollup
from services.settlement.domain.statement import edge_form
from services.settlement.domain.window import Edge, Window
from shared.canonical import Canonical, canonical


class BucketCount(NamedTuple):
    """What a window counted in one bucket: entries, late ones, signed points of obligations."""

    bucket: int
    entries: int
    late_entries: int
    points: int


def seal(
    window: Window,
    opening: Edge | None,
    closing: Edge,
    counts: Sequence[BucketCount],
    rollups: Iterable[Rollup],
    waived: int,
    own: tuple[int, bytes],
    previous: bytes,
) -> dict[str, Canonical]:
    """The document before it is signed. `own`: last seq and hash of settlement's own journal; `previous`: the SHA-256
    of the seal before, nothing for the first.
    """
    document: dict[str, Canonical] = {
        "buckets": [list(count) for count in sorted(counts)],
        "engine": ENGINE,
        "own": {"from": window.own_from, "hash": own[1].hex(), "to": own[0]},
        "previous": previous.hex(),
        "rollups": rollups_hash(rollups).hex(),
        "to_checkpoint": edge_form(closing),
        "v": 1,
        "versions_known": window.versions_known,
        "waived": waived,
        "window": window.number,
    }
    if opening is not None:
        document["from_checkpoint"] = edge_form(opening)
    return document


def signed_seal(document: Mapping[str, Canonical], key_id: str, signature: bytes) -> bytes:
    """The bytes that are stored and hashed."""
    return canonical({**document, "signature": {"key_id": key_id, "value": signature.hex()}})


def rollups_hash(rollups: Iterable[Rollup]) -> bytes:
    """SHA-256 over the canonical rollups in order, whichever worker counted what."""
    sums: dict[tuple[str | int, ...], list[int]] = {}
    for one in rollups:
        key = (one.leg.value, *one.version, one.counterparty, one.rate_class, one.month, one.subject)
        row = sums.setdefault(key, [0, 0, 0])
        row[0] += one.points
        row[1] += one.items
        row[2] += one.late_items
    return sha256(canonical([[*key, *sums[key]] for key in sorted(sums)])).digest()
