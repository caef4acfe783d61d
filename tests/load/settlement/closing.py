"""Closing a window: what it costs with ten thousand entries, and with all of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from statistics import median

from tests.load.settlement.books import Books
from tests.load.settlement.figures import Figure

SMALL = 10_000
_TIMES = 5


def closing(books: Books, options: argparse.Namespace) -> Iterator[Figure]:
    """Small windows first, then the large one, which is left closed and unsigned for the job."""
    books.close(books.fill(SMALL))  # plans and caches are there from here on
    small, plain = [], 0.0
    for _ in range(_TIMES):
        edge = books.fill(SMALL)
        small.append(books.close(edge))
        plain = books.plainly(edge.checkpoint)
    yield Figure("close a window", f"{SMALL:,} entries", median(small), "s", plain_seconds=plain)
    while books.signing.sign_next(books.clock.now()) is not None:
        pass
    edge = books.fill(options.entries)
    took = books.close(edge)
    size = f"{options.entries:,} entries"
    yield Figure("close a window", size, took, "s", goal=1, plain_seconds=books.plainly(edge.checkpoint))
    yield Figure("that, of the close of 10,000", size, took / median(small), "times", goal=2)
