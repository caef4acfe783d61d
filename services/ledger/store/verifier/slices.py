"""Gross awards: what a slice says has been awarded is what the journal awarded, so that no allowance is exceeded."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from services.ledger.store.rows import Row
from services.ledger.store.stripes import buckets_of, stripe_count
from shared.db.columns import Int4s
from shared.verifying import Differs, compare

_AWARDED = """
SELECT bucket %% %s, debit_party, sum(points) FROM ledger.postings WHERE debit = 11 AND unit = 1 GROUP BY 1, 2
"""
_MOST = 2**63 - 1  # a slice counts no further
_SLICES = "SELECT bucket, partner, awarded FROM ledger.slices WHERE awarded <> 0"
_AWARDED_IN = """
SELECT debit_party, sum(points) FROM ledger.postings
WHERE bucket = ANY(%b) AND debit = 11 AND unit = 1 GROUP BY debit_party
"""
# What may still be awarded is what the limit leaves; below it, nothing. A count that stands still says no more.
_BEYOND = f"""
SELECT a.partner, greatest(a.limit_points - sum(s.awarded), 0), a.pool + sum(s.remaining)
FROM ledger.allowances a LEFT JOIN ledger.slices s ON s.partner = a.partner
GROUP BY a.partner, a.limit_points, a.pool
HAVING max(s.awarded) IS DISTINCT FROM {_MOST}
    AND greatest(a.limit_points - sum(s.awarded), 0) IS DISTINCT FROM a.pool + sum(s.remaining)
ORDER BY a.partner LIMIT 1
"""
_SLICES_OF = "SELECT partner, awarded FROM ledger.slices WHERE bucket = %s AND awarded <> 0"


def compare_slices(cursor: psycopg.Cursor[Row], bucket_count: int) -> None:
    """All of them, in one snapshot. Raises Differs."""
    awarded = _by_slice(cursor.execute(_AWARDED, [stripe_count(bucket_count)]))
    compare("slice", awarded, _by_slice(cursor.execute(_SLICES)), lambda key: f"{key[0]}/{key[1]}")
    if row := cursor.execute(_BEYOND).fetchone():
        raise Differs("allowance", row[0], f"its limit leaves {row[1]}, pool and slices hold {row[2]}")


def compare_slices_of(cursor: psycopg.Cursor[Row], bucket: int, bucket_count: int) -> None:
    """Those that are kept in this bucket: it carries the slices of its stripe, or none."""
    if bucket >= stripe_count(bucket_count):
        return
    stripe = Int4s(list(buckets_of(bucket, bucket_count)))
    awarded = {issuer: min(int(points), _MOST) for issuer, points in cursor.execute(_AWARDED_IN, [stripe])}
    stored = {partner: int(points) for partner, points in cursor.execute(_SLICES_OF, [bucket])}
    compare("slice", awarded, stored, lambda partner: f"{bucket}/{partner}")


def _by_slice(rows: Iterable[Row]) -> dict[tuple[int, str], int]:
    return {(stripe, partner): min(int(points), _MOST) for stripe, partner, points in rows}
