"""What is on its way from one purse to another: neither has it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from tests.ledger.model.coins import Coin, Lot


class Packed(NamedTuple):
    """Points of one lot, as it was then, that lay `free` or `pending`, or that are `owed` for it."""

    lot: Lot
    what: str
    points: int


@dataclass(frozen=True)
class Parcel:
    """In the order in which it was packed; `bucket` and `out` say who sent it."""

    bucket: int
    out: int
    packed: tuple[Packed, ...]

    @classmethod
    def of(cls, bucket: int, out: int, coins: Sequence[Coin]) -> Parcel:
        by_lot = groupby(coins, key=lambda coin: coin.lot)
        return cls(bucket, out, tuple(Packed(replace(lot), "free", len(list(group))) for lot, group in by_lot))

    def unpacked(self, seq: int) -> list[tuple[Lot, str]]:
        """New lots that keep issuer, earning time and last day, and remember where they first came from."""
        return [
            (
                replace(
                    lot,
                    number=(seq, line),
                    awarded=points,
                    undone=0,
                    owed=points if what == "owed" else 0,
                    origin=lot.origin or (self.bucket, *lot.number),
                ),
                what,
            )
            for line, (lot, what, points) in enumerate(self.packed)
        ]
