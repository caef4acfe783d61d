"""The heads of a batch's buckets: locked, and ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.ledger.domain.apply import Head
from services.ledger.store.holdings import Fenced
from services.ledger.store.stripes import stripe_count, stripe_of
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.asking import Asking, Cursor
from services.ledger.store.writer.loading.reading import Reading
from shared.instants import micros

_AT_ONCE: Final = 32


def heads(reading: Reading, questions: Asking) -> Iterator[None]:
    """In the order of the buckets, so that no two batches wait for each other."""
    buckets, cursors = reading.agenda.heads.taken(), []
    for start in range(0, len(buckets), _AT_ONCE):
        some = buckets[start : start + _AT_ONCE]
        size = 1 << (len(some) - 1).bit_length()  # few sizes, so that each is prepared soon; the last one again
        cursors.append(questions.ask(sql.lock_heads(size), [*some, *some[-1:] * (size - len(some))]))
    yield
    for cursor in cursors:
        _take(reading, cursor)


def _take(reading: Reading, cursor: Cursor) -> None:
    """Raises Fenced for a head whose stripe has another epoch than we hold."""
    found, held, stripes = reading.found, reading.held, stripe_count(reading.bucket_count)
    for bucket, seq, hash_, posted_at, epoch, frozen in cursor.fetchall():
        stripe = stripe_of(bucket, stripes)
        if held.get(stripe) != epoch:
            raise Fenced(stripe, held.get(stripe, -1))
        found.heads[bucket] = Head(bucket, seq, hash_, micros(posted_at))
        found.ends[bucket] = seq
        if frozen:
            found.frozen.add(bucket)
