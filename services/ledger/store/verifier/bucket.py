"""Everything that can be said of one bucket: its chain, its claims, its wallets, its flows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.store.tree import TreeCheck
from services.ledger.store.verifier.chain import Chain
from services.ledger.store.verifier.claims import compare_strays
from services.ledger.store.verifier.flows import compare_flows
from services.ledger.store.verifier.landmarks import compare_landmarks
from services.ledger.store.verifier.look import Look
from services.ledger.store.verifier.marks import marks_of
from services.ledger.store.verifier.slices import compare_slices_of
from services.ledger.store.verifier.transfers import compare_transfers
from services.ledger.store.verifier.wallets import FIRST, LAST, Counted, compare_wallets
from shared.verifying import Differs

_PAGE = 500
_WALLETS, _RANGES = 200, 16
"""Wallets in one look at least, and looks at most: each has to find its rows among all of the bucket's."""

_COUNT = "SELECT count(*) FROM ledger.wallets WHERE bucket = %s AND unit = 1"
_NEXT = """
SELECT w.wallet_id FROM ledger.wallets w
WHERE w.bucket = %s AND w.unit = 1 AND w.wallet_id >= %s ORDER BY w.wallet_id LIMIT %s
"""


def check_bucket(look: Look, bucket: int, bucket_count: int) -> Iterator[Counted]:
    """In many short looks, so that posting goes on meanwhile. Yields between two of them. Raises Differs."""
    with naming_corrupt_entries():
        for entries in walk(look, Chain(bucket, bucket_count), _PAGE):
            yield Counted(entries=entries)
        with look() as cursor:
            compare_strays(cursor, bucket)
            compare_landmarks(cursor, bucket)
        yield Counted()
        with look() as cursor:
            compare_transfers(cursor, bucket)
        yield Counted()
        with look() as cursor:
            (count,) = cursor.execute(_COUNT, [bucket]).fetchone() or (0,)
        first: UUID | None = FIRST
        while first is not None:
            counted, first = _some_wallets(look, bucket, first, max(_WALLETS, count // _RANGES))
            yield counted
        with look() as cursor:
            compare_flows(cursor, bucket, bucket, f"{bucket}/")
        yield Counted()
        with look() as cursor:
            compare_slices_of(cursor, bucket, bucket_count)


def walk(look: Look, chain: Chain, page: int) -> Iterator[int]:
    """Along the chain, with the tree that grows over it. Yields the number of entries of each page."""
    marks = marks_of(look, chain.bucket)
    tree = TreeCheck(look, chain.bucket, marks.roots)
    for entries in chain.walk(look, marks, page):
        for entry in entries:
            tree.add(entry.hash)
        yield len(entries)
    tree.done()


@contextmanager
def naming_corrupt_entries() -> Iterator[None]:
    """A row that says nothing sensible is a difference like any other."""
    try:
        yield
    except JournalCorrupt as corrupt:
        raise Differs("entry", str(corrupt.facts["entry"]), str(corrupt.facts["detail"])) from corrupt


def _some_wallets(look: Look, bucket: int, first: UUID, most: int) -> tuple[Counted, UUID | None]:
    """Compare the next wallets; answers where the ones after them begin."""
    with look() as cursor:
        wallets = cursor.execute(_NEXT, [bucket, first, most]).fetchall()
        last = wallets[-1][0] if len(wallets) == most else LAST
        counted = Counted()
        for one in compare_wallets(cursor, bucket, first, last):
            counted.wallets += one.wallets
            counted.lots += one.lots
    return counted, None if last == LAST else UUID(int=last.int + 1)
