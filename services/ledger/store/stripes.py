"""Stripes: fixed groups of buckets that are leased, dealt to lanes and given slices of allowances as one."""

from __future__ import annotations

from typing import Final

MOST: Final = 16


def stripe_count(bucket_count: int) -> int:
    """How many stripes a deployment has, for ever."""
    return min(MOST, bucket_count)


def stripe_of(bucket: int, stripes: int) -> int:
    """The stripe a bucket belongs to: that of the lowest of its buckets, whose number it carries."""
    return bucket % stripes


def buckets_of(stripe: int, bucket_count: int) -> range:
    """The buckets of a stripe, ascending."""
    return range(stripe, bucket_count, stripe_count(bucket_count))
