"""Splits that must add up: the largest-remainder method, with caps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self, TypeVar


class _Ordered(Protocol):
    def __lt__(self, other: Self, /) -> bool: ...

    def __hash__(self) -> int: ...


Id = TypeVar("Id", bound=_Ordered)


class CannotSplit(ValueError):
    """There is nobody to give the total to: no weight, or caps that together are smaller than it."""


def largest_remainder(total: int, weights: Mapping[Id, int], caps: Mapping[Id, int] | None = None) -> dict[Id, int]:
    """Split `total` in proportion to whole weights so that the shares add up to it exactly.

    Every share is floored; what is left goes one by one to the largest remainders, ties to the larger weight, then to
    the smaller id. No share exceeds its cap: one that would is set to it, and the rest is split again among the others.
    """
    if total < 0 or any(weight < 0 for weight in weights.values()):
        raise CannotSplit("a total and its weights are 0 or more")
    caps = caps or {}
    shares: dict[Id, int] = {}
    open_weights = dict(weights)
    left = total
    while True:
        proposed = _split(left, open_weights)
        full = [one for one, share in proposed.items() if one in caps and share > caps[one]]
        if not full:
            return {one: (shares | proposed)[one] for one in weights}
        for one in full:
            shares[one] = caps[one]
            left -= caps[one]
            del open_weights[one]


def _split(total: int, weights: Mapping[Id, int]) -> dict[Id, int]:
    whole = sum(weights.values())
    if whole == 0:
        if total:
            raise CannotSplit(f"{total} cannot be split: no weight is left to give it to")
        return dict.fromkeys(weights, 0)
    floors = {one: divmod(total * weight, whole) for one, weight in weights.items()}
    shares = {one: floor for one, (floor, _) in floors.items()}
    by_id = sorted(weights)
    in_order = sorted(by_id, key=lambda one: (-floors[one][1], -weights[one]))
    for one in in_order[: total - sum(shares.values())]:
        shares[one] += 1
    return shares
