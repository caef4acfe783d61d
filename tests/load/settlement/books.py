"""A settlement database with windows of any length: contracts and accounts by the real ways, entries by INSERT.

What ingest would have left behind is put into its tables: obligations, rollups of two workers, counts and cursors. How
fast ingest itself is another case measures.
"""

from __future__ import annotations

import time
from pathlib import Path
from uuid import uuid4

from services.settlement.domain.terms import Collection
from services.settlement.domain.window import Edge
from services.settlement.store import windows
from services.settlement.store.closing import Closing
from services.settlement.store.ingest import ensure_buckets
from services.settlement.store.signing import Signing
from shared.instants import micros
from tests.settlement.accounts import account_of, clearing
from tests.settlement.clerk import Clerk
from tests.settlement.paper import day, terms
from tests.settlement.reckoning import SIGNER
from tests.support.databases import Databases

BUCKETS = 64
CURRENCIES = ("EUR", "USD", "GBP", "JPY")

# Every other entry is an award; points are spent at a quarter of the partners, which therefore are paid.
_OBLIGATIONS = """
INSERT INTO settlement.obligations (bucket, seq, line, leg, partner, version, points, window_number, late, occurred_at,
    entry_hash)
SELECT b.bucket, b.seq + n, 0, CASE WHEN n %% 2 = 0 THEN 'REIMBURSEMENT' ELSE 'ISSUANCE' END,
    'partner-' || (n / 2 + 8 * b.bucket) %% (CASE WHEN n %% 2 = 0 THEN %s ELSE %s END), 1, 1 + (n * 7919) %% 997, %s,
    false, %s, sha256(int8send((b.seq + n) * 64 + b.bucket))
FROM (SELECT * FROM settlement.buckets ORDER BY bucket) b CROSS JOIN LATERAL generate_series(1, %s) AS n
"""
_ROLLUPS = """
INSERT INTO settlement.rollups_by_worker (window_number, worker, leg, partner, counterparty, version, rate_class, month,
    subject, points, items, late_items, latest_at)
SELECT o.window_number, o.bucket %% 2, o.leg, o.partner, 'operator', o.version, '', 0, '', sum(o.points), count(*), 0,
    max(o.occurred_at)
FROM settlement.obligations o JOIN settlement.buckets b ON b.bucket = o.bucket AND o.seq > b.seq
WHERE o.window_number = %s GROUP BY 1, 2, 3, 4, 6
"""
_COUNTS = """
INSERT INTO settlement.window_counts (window_number, bucket, entries, late_entries, points)
SELECT o.window_number, o.bucket, count(*), 0, sum(o.points)
FROM settlement.obligations o JOIN settlement.buckets b ON b.bucket = o.bucket AND o.seq > b.seq
WHERE o.window_number = %s GROUP BY 1, 2
"""
_CURSORS = """
UPDATE settlement.buckets b SET seq = b.seq + %s, hash = sha256(int8send((b.seq + %s) * 64 + b.bucket))
RETURNING b.bucket, b.seq, b.hash
"""
_PLAIN = """
SELECT partner, leg, version, sum(points), count(*) FROM settlement.obligations
WHERE window_number = %s GROUP BY 1, 2, 3
"""


class Books(Clerk):
    """Anna and Ben at a desk with many partners, each with its currency."""

    def __init__(self, databases: Databases, folder: Path, partners: int) -> None:
        super().__init__(databases, folder)
        self.partners = {f"partner-{number}": CURRENCIES[number % len(CURRENCIES)] for number in range(partners)}
        pid = databases.cluster.pid
        assert pid is not None
        self.postmaster = pid
        self.debited = {name for name, currency in list(self.partners.items())[::8] if currency == "EUR"}
        self.closing = Closing(self.sessions, SIGNER)
        self.signing = Signing(self.sessions, SIGNER)
        self.clock.at = self.clock.at.replace(day=20)
        self.do(lambda connection: ensure_buckets(connection, BUCKETS))
        for name, currency in self.partners.items():
            collection = Collection.DIRECT_DEBIT if name in self.debited else Collection.PAY_IN
            self.agrees(name, terms(since=day(-1), currency=currency, collection=collection))

    def open_accounts(self) -> None:
        """One for each partner and one of the operator in each currency; some are debited directly."""
        for number, currency in enumerate(CURRENCIES):
            self.has(clearing(currency, number + 1))
        for number, (name, currency) in enumerate(self.partners.items(), start=100):
            self.has(account_of(name, number, currency, mandate=name in self.debited))

    def fill(self, entries: int) -> Edge:
        """So many more entries in the open window; answers with the checkpoint behind them."""
        number = self.do(lambda connection: windows.found(connection, "windows/open")).number
        each, count = max(entries // BUCKETS, 1), len(self.partners)
        with self.tampering() as connection:
            at = self.clock.now()
            connection.execute(_OBLIGATIONS.encode(), (max(count // 4, 1), count, number, at, each))
            connection.execute(_ROLLUPS.encode(), (number,))
            connection.execute(_COUNTS.encode(), (number,))
            rows = sorted(connection.execute(_CURSORS.encode(), (each, each)).fetchall())
            connection.execute("VACUUM ANALYZE settlement.obligations")
            connection.execute("CHECKPOINT")
        self.clock.pass_(hours=1)
        seqs, hashes = tuple(int(row[1]) for row in rows), tuple(bytes(row[2]) for row in rows)
        return Edge(number, seqs, hashes, bytes(32), micros(self.clock.now()), b"signature", "key")

    def close(self, edge: Edge) -> float:
        """Close the open window at that checkpoint; the seconds from being asked to CLOSED."""
        at = self.clock.now()
        began = time.perf_counter()
        self.do(lambda connection: windows.ask_to_close(connection, edge.checkpoint, uuid4(), "operator/anna"))
        self.closing.fix_edge(edge.checkpoint, edge)
        waits = self.closing.finish(at)
        took = time.perf_counter() - began
        if waits is not None:
            raise RuntimeError(f"the window waits for {waits.waits_for}: {waits.detail}")
        return took

    def plainly(self, number: int) -> float:
        """Seconds of one GROUP BY over the obligations of a window."""
        with self.tampering() as connection:
            began = time.perf_counter()
            connection.execute(_PLAIN.encode(), (number,)).fetchall()
            return time.perf_counter() - began
