"""A whole amount spread over parts so that they add up to it: floors, and what is left to the largest remainders.

Unlike `shared.money.largest_remainder` it takes exact amounts, that may be negative, and a total that was rounded
elsewhere: cumulatively, it may be a unit beside the sum of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

K = TypeVar("K", bound=Any)  # whatever can be sorted


def spread(total: int, exact: Mapping[K, int], unit: int) -> dict[K, int]:
    """Whole parts that add up to `total`. `exact` is each part's amount, of which `unit` make a whole.

    Every part gets its floor; what is left goes one by one to the largest remainders, ties to the smaller key. Raises
    ValueError for a total without parts.
    """
    floors = {key: divmod(amount, unit) for key, amount in exact.items()}
    if not floors:
        if total:
            raise ValueError(f"{total} cannot be spread over nothing")
        return {}
    each, more = divmod(total - sum(floor for floor, _ in floors.values()), len(floors))
    in_order = sorted(sorted(floors), key=lambda key: -floors[key][1])
    given = {key: each + (place < more) for place, key in enumerate(in_order)}
    return {key: floor + given[key] for key, (floor, _) in floors.items()}
