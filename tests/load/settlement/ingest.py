"""Ingest as the service does it: lanes that take pages of real entries, check the chain, price, add up and store."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import cast

from services.settlement.api.journal import Journal
from services.settlement.api.lanes import Reader
from shared.memory import collect_the_young
from tests.load.settlement.books import Books
from tests.load.settlement.figures import Figure
from tests.load.settlement.journal import Paper

_LANES = 2
_PAGE = 5_000
_LOOK_SECONDS = 0.02
_PLAIN = "SELECT partner, leg, version, sum(points), count(*) FROM settlement.obligations GROUP BY 1, 2, 3"
_COUNTED = "SELECT coalesce(sum(entries), 0)::bigint FROM settlement.window_counts"


def ingest(books: Books, options: argparse.Namespace) -> Iterator[Figure]:
    """The journal stands in memory: what the ledger takes to read it is the ledger's bench."""
    paper = Paper(min(options.entries, options.journal), options.partners)
    journal = cast("Journal", paper)  # the one thing of it that lanes use
    lanes = [Reader(books.sessions, journal, number, _LANES, _PAGE, 1, lambda: None) for number in range(_LANES)]
    collect_the_young()  # as the service does
    with books.tampering() as looking:
        began = time.perf_counter()
        for lane in lanes:
            lane.start()
        while looking.execute(_COUNTED).fetchone() != (paper.entry_count,):
            if waits := next((lane.waits for lane in lanes if lane.waits), None):
                raise RuntimeError(f"a lane waits: {waits.detail}")
            time.sleep(_LOOK_SECONDS)
        took = time.perf_counter() - began
    for lane in lanes:
        lane.stop()
    if suspended := books.rows("SELECT reason, detail FROM settlement.suspense LIMIT 1"):
        raise RuntimeError(f"entries have no price: {suspended}")
    began = time.perf_counter()
    books.rows(_PLAIN)
    plain = time.perf_counter() - began
    size = f"{paper.entry_count:,} entries"
    yield Figure("ingest", size, paper.entry_count / took, "per s", goal=50_000, at_least=True, plain_seconds=plain)
