"""How an issuer's allowance is dealt: to each stripe a slice, the rest in a pool, and never a point more or less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

_BATCHES: Final = 10
"""A slice lasts for so many batches like the one that was short."""
_SHARES: Final = 32
"""Or for this part of the pool, if that is more."""
_GREED: Final = 4
"""But never for more than this part of it: others will come for theirs."""


class Dealt(NamedTuple):
    """What is left to award, and where it lies."""

    pool: int
    slices: Mapping[int, int]


def dealt(pool: int, slices: Mapping[int, int], spent: Mapping[int, int]) -> Dealt:
    """Spend from these stripes' slices, and fill them from the pool; what others have is called back only if it must.

    Nobody spends more than there is: pool and slices together hold at least what is spent.
    """
    after = dict(slices)
    for stripe, points in spent.items():
        after[stripe] = after.get(stripe, 0) - points
    if sum(-left for left in after.values() if left < 0) > pool:
        pool, after = pool + sum(after.values()), dict.fromkeys(after, 0)
    else:
        pool += sum(left for left in after.values() if left < 0)
        after = {stripe: max(0, left) for stripe, left in after.items()}
    if pool < 0:
        raise ValueError(f"{-pool} points more than the allowance were spent")
    for stripe, points in spent.items():
        chunk = min(max(_BATCHES * points, pool // _SHARES), pool // _GREED)
        more = max(0, chunk - after[stripe])
        after[stripe] += more
        pool -= more
    return Dealt(pool, after)
