"""Amounts of points: positive whole numbers that fit in 64 bits. Direction is the side of a posting, never a sign."""

from __future__ import annotations

MOST = 2**63 - 1


def positive(points: int) -> int:
    """The same number, or ValueError: a posting of nothing, or of less, has no spelling."""
    if not 0 < points <= MOST:
        raise ValueError(f"points must be from 1 to {MOST}, not {points}")
    return points


MOST_LOTS = 1000
"""In one entry, so that no entry is larger than a reader of the journal can take."""
