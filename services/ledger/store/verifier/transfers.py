"""What left one wallet for another: every leg that left is written down, every leg that arrived belongs to one."""

from __future__ import annotations

import psycopg

from services.ledger.domain.entry import Place
from services.ledger.store.rows import Row
from services.ledger.store.verifier.between import Between
from services.ledger.store.verifier.flows import Source, transit_of
from shared.verifying import Differs, compare, shown

_LEFT = """
SELECT coalesce(e.seq, t.seq), e.kind, e.counterpart_bucket, e.counterpart_wallet, t.kind, t.to_bucket, t.to_wallet
FROM (
    SELECT seq, kind, counterpart_bucket, counterpart_wallet FROM ledger.entries WHERE bucket = %s AND kind IN (10, 12)
) AS e
FULL JOIN (SELECT seq, kind, to_bucket, to_wallet FROM ledger.transfers WHERE bucket = %s) AS t ON t.seq = e.seq
WHERE (e.kind, e.counterpart_bucket, e.counterpart_wallet) IS DISTINCT FROM (t.kind, t.to_bucket, t.to_wallet)
ORDER BY 1 LIMIT 1
"""
_NOT_ARRIVED = """
SELECT t.seq, t.arrived_seq, t.to_bucket FROM ledger.transfers t
LEFT JOIN ledger.entries i
    ON i.bucket = t.to_bucket AND i.seq = t.arrived_seq AND i.kind = t.kind + 1 AND i.wallet_id = t.to_wallet
    AND i.counterpart_bucket = t.bucket AND i.counterpart_seq = t.seq
WHERE t.bucket = %s AND t.arrived_seq IS NOT NULL AND i.seq IS NULL
ORDER BY 1 LIMIT 1
"""
_FROM_NOWHERE = """
SELECT i.seq, i.counterpart_bucket, i.counterpart_seq, o.seq IS NULL FROM ledger.entries i
LEFT JOIN ledger.entries o
    ON o.bucket = i.counterpart_bucket AND o.seq = i.counterpart_seq AND o.kind = i.kind - 1
    AND o.counterpart_bucket = i.bucket AND o.counterpart_wallet = i.wallet_id AND o.wallet_id = i.counterpart_wallet
    AND o.points = i.points AND o.unit = i.unit
LEFT JOIN ledger.transfers t ON t.bucket = i.counterpart_bucket AND t.seq = i.counterpart_seq
LEFT JOIN ledger.entries twin
    ON twin.bucket = i.bucket AND twin.seq = t.arrived_seq AND twin.seq <> i.seq AND twin.kind = i.kind
    AND twin.counterpart_bucket = i.counterpart_bucket AND twin.counterpart_seq = i.counterpart_seq
WHERE i.bucket = %s AND i.kind IN (11, 13) AND (o.seq IS NULL OR twin.seq IS NOT NULL)
ORDER BY 1 LIMIT 1
"""
_OPEN = """
SELECT p.unit, p.issuer, p.debit, p.debit_party, p.credit, p.credit_party, sum(p.points) FROM ledger.transfers t
JOIN ledger.postings p ON p.bucket = t.bucket AND p.seq = t.seq
WHERE t.arrived_seq IS NULL AND NOT EXISTS (
    SELECT FROM ledger.entries i
    WHERE i.bucket = t.to_bucket AND i.wallet_id = t.to_wallet AND i.kind = t.kind + 1
        AND i.counterpart_bucket = t.bucket AND i.counterpart_seq = t.seq
)
GROUP BY p.unit, p.issuer, p.debit, p.debit_party, p.credit, p.credit_party
"""


def compare_transfers(cursor: psycopg.Cursor[Row], bucket: int) -> None:
    """The legs that left this bucket's wallets and those that arrived there, in one snapshot. Raises Differs."""
    if row := cursor.execute(_LEFT, [bucket, bucket]).fetchone():
        detail = f"the journal sends {shown(row[1:4])}, the table holds {shown(row[4:])}"
        raise Differs("transfer", str(Place(bucket, row[0])), detail)
    if row := cursor.execute(_NOT_ARRIVED, [bucket]).fetchone():
        detail = f"entry {row[2]}-{row[1]} is not the leg that arrived"
        raise Between("transfer", str(Place(bucket, row[0])), detail, row[2])
    if row := cursor.execute(_FROM_NOWHERE, [bucket]).fetchone():
        what = "no leg that left answers to it" if row[3] else "another one answers to the leg that left"
        raise Between("entry", str(Place(bucket, row[0])), f"it arrived from {row[1]}-{row[2]}: {what}", row[1])


def compare_transit(cursor: psycopg.Cursor[Row], transit: dict[Source, int]) -> None:
    """Over the whole programme: what is in transit is what the open transfers carry."""
    carried = transit_of(cursor.execute(_OPEN))
    compare("transfer", transit, carried, lambda source: f"{source.unit.name}:{source.issuer}")
