"""Read what a batch needs: lock its heads and ask the rest in the same round trip, then what the answers ask for.

Awards and most redemptions are done after the first round. Everything read is stable until the transaction ends: its
bucket is locked.

A subject is a generator: it asks, waits at its `yield` while the questions of all subjects travel, and takes its answer
in. What that gives to ask about goes on the agenda, for the next round. With nothing on the agenda it asks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import psycopg

from services.ledger.store.rows import Row
from services.ledger.store.writer.asking import Asking, asking
from services.ledger.store.writer.loading.entries import entries
from services.ledger.store.writer.loading.heads import heads
from services.ledger.store.writer.loading.links import aliases
from services.ledger.store.writer.loading.lots import all_lots, lots_in_debt, lots_of_awards, next_lots, pending_due
from services.ledger.store.writer.loading.reading import Reading
from services.ledger.store.writer.loading.requests import receipts, requests
from services.ledger.store.writer.loading.sales import holds, holds_due, redemptions
from services.ledger.store.writer.loading.wallets import rows, sent_today
from services.ledger.store.writer.working_set import WorkingSet

__all__ = ["Reading", "load"]

_SUBJECTS: Final[tuple[Callable[[Reading, Asking], Iterator[None]], ...]] = (
    heads,  # first, for it locks
    next_lots,
    receipts,
    sent_today,
    rows,
    all_lots,
    lots_in_debt,
    pending_due,
    holds_due,
    aliases,
    requests,
    entries,
    lots_of_awards,
    holds,
    redemptions,
)


def load(connection: psycopg.Connection[Row], reading: Reading) -> WorkingSet:
    """Lock, then read. Raises Fenced when another process has taken one of the stripes over."""
    while reading.agenda.has_news():
        with asking(connection) as questions:
            subjects = [subject(reading, questions) for subject in _SUBJECTS]
            for subject in subjects:
                next(subject, None)  # it asks
        for subject in subjects:
            next(subject, None)  # it takes its answer in
    return reading.found
