"""A journal as the ledger writes it: its entries, in its canonical form, chained; read in pages from memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import date

from services.ledger.domain.chain import START, canonical, chained
from services.ledger.domain.entry import (
    AVAILABLE,
    Balance,
    Entry,
    EntryKind,
    LotId,
    Posting,
    ReceiptRef,
    issued,
    redeemed,
)
from services.settlement.api.bell import Bell
from services.settlement.api.journal import Page
from services.settlement.domain.journal import FeedEntry
from tests.load.settlement.books import BUCKETS
from tests.settlement.paper import day

_REDEEMED_EVERY = 5
_POINTS = 997


class Paper:
    """So many entries over all buckets: of five, four awards and one redemption of points of an earlier one."""

    def __init__(self, entries: int, partners: int) -> None:
        self._buckets = [list(_bucket(bucket, entries // BUCKETS, partners)) for bucket in range(BUCKETS)]

    @property
    def entry_count(self) -> int:
        return sum(map(len, self._buckets))

    def page(self, cursor: Mapping[int, int], size: int, wait_seconds: int = 0, bell: Bell | None = None) -> Page:
        """As the ledger answers: each bucket with news gives its share of the page."""
        news = {bucket: left for bucket, seq in cursor.items() if (left := len(self._buckets[bucket]) - seq)}
        share = max(1, size // max(1, len(news)))
        found = [entry for bucket in news for entry in self._buckets[bucket][cursor[bucket] : cursor[bucket] + share]]
        return Page(found, more=any(left > share for left in news.values()), bucket_count=BUCKETS)


def _bucket(bucket: int, count: int, partners: int) -> Iterator[FeedEntry]:
    hash_, on, at = START, date(2026, 3, 10), day(9)
    wallet, request = uuid.uuid5(uuid.NAMESPACE_OID, f"wallet {bucket}"), uuid.uuid5(uuid.NAMESPACE_OID, "request")
    for seq in range(1, count + 1):
        partner = f"partner-{(seq * 31 + bucket) % partners}"
        points, lot = 1 + seq * 7919 % _POINTS, LotId(seq, 0)
        kind, debit, credit = EntryKind.AWARD, issued(partner), AVAILABLE
        if seq % _REDEEMED_EVERY == 0:
            kind, debit, credit = EntryKind.REDEMPTION, AVAILABLE, redeemed(partner)
            lot, points = LotId(seq - 1, 0), 1
        entry = Entry(
            bucket=bucket,
            seq=seq,
            kind=kind,
            wallet=wallet,
            partner=partner,
            request_id=request,
            request_hash=bytes(32),
            points=points,
            postings=(Posting(debit, credit, points, lot, partner, on),),
            balance=Balance(available=1_000_000 + points),
            occurred_at=at + seq,
            posted_at=at + seq + 40_000,
            receipt=ReceiptRef("12", "3", on, str(seq)),
        )
        body = canonical(entry)
        hash_ = chained(hash_, body)
        yield FeedEntry(bucket, seq, hash_, body)
