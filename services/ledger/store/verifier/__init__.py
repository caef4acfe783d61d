"""Replays the journal from its first entry and compares everything that was derived from it.

Bucket by bucket: the chain in the order of its seqs, then one wallet after the other with its rows; then what spans
buckets. The first difference ends it. What is kept in memory is a page, a wallet and some sums, however long the
journal is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from sqlalchemy import Engine

from services.ledger.store.checkpoints import Verify, checked_checkpoints
from services.ledger.store.rows import Row
from services.ledger.store.verifier.bucket import naming_corrupt_entries, walk
from services.ledger.store.verifier.chain import Chain
from services.ledger.store.verifier.claims import compare_strays, count_claims
from services.ledger.store.verifier.flows import compare_flows
from services.ledger.store.verifier.landmarks import compare_landmarks
from services.ledger.store.verifier.look import always, snapshot
from services.ledger.store.verifier.places import compare_places
from services.ledger.store.verifier.slices import compare_slices
from services.ledger.store.verifier.transfers import compare_transfers, compare_transit
from services.ledger.store.verifier.wallets import compare_wallets
from shared.verifying import Difference, Differs, Progress

__all__ = ["Summary", "Verifier", "Verify"]

_PAGE = 2_000
_EVERY = 5_000


@dataclass(slots=True)
class Summary:
    """What was compared without a difference."""

    entries: int = 0
    wallets: int = 0
    lots: int = 0
    checkpoints: int = 0


class Verifier:
    """Reads what is committed in one repeatable-read snapshot, so that tills may go on meanwhile."""

    def __init__(self, engine: Engine, bucket_count: int, verify: Verify) -> None:
        self._engine = engine
        self._bucket_count = bucket_count
        self._verify = verify

    def run(self) -> Iterator[Progress | Difference | Summary]:
        """Progress again and again, then either the first difference or the summary."""
        with snapshot(self._engine) as cursor:
            try:
                with naming_corrupt_entries():
                    yield from self._run(cursor)
            except Differs as difference:
                yield difference.difference

    def _run(self, cursor: psycopg.Cursor[Row]) -> Iterator[Progress | Summary]:
        total = compare_places(cursor, self._bucket_count)
        summary, folded, claims = Summary(), 0, 0
        for _ in checked_checkpoints(cursor, self._verify):
            summary.checkpoints += 1
        for bucket in range(self._bucket_count):
            chain = Chain(bucket, self._bucket_count)
            for done in walk(always(cursor), chain, _PAGE):
                summary.entries += done
                yield Progress((summary.entries + folded) // 2, total)
            claims += chain.claims
            compare_strays(cursor, bucket)
            compare_landmarks(cursor, bucket)
            compare_transfers(cursor, bucket)
            waiting = 0
            for counted in compare_wallets(cursor, bucket):
                summary.wallets += counted.wallets
                summary.lots += counted.lots
                waiting += counted.entries
                if waiting >= _EVERY:
                    folded, waiting = folded + waiting, 0
                    yield Progress((summary.entries + folded) // 2, total)
            folded += waiting
        count_claims(cursor, claims)
        compare_transit(cursor, compare_flows(cursor, 0, self._bucket_count - 1))
        compare_slices(cursor, self._bucket_count)
        yield Progress(summary.entries, total)
        yield summary
