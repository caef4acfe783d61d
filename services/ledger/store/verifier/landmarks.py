"""Landmarks say when some entries were posted, so that others are looked for in the right months."""

from __future__ import annotations

import psycopg

from services.ledger.domain.entry import Place
from services.ledger.store.rows import Row
from shared.verifying import Differs

_WRONG = """
SELECT l.seq FROM ledger.landmarks l
LEFT JOIN ledger.entries e ON e.bucket = l.bucket AND e.seq = l.seq AND e.posted_at = l.posted_at
WHERE l.bucket = %s AND e.seq IS NULL
ORDER BY l.seq LIMIT 1
"""


def compare_landmarks(cursor: psycopg.Cursor[Row], bucket: int) -> None:
    """Each of them is true. None has to be there. Raises Differs."""
    if row := cursor.execute(_WRONG, [bucket]).fetchone():
        raise Differs("landmark", str(Place(bucket, row[0])), "no entry of that seq was posted at that time")
