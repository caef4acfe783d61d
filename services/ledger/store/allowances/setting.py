"""Settlement says how many points an issuer may ever have awarded; the difference to what it has is what it may still.

The limit counts from the first award on, so awards on their way while settlement calculates count by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import psycopg
from sqlalchemy import Engine

from services.ledger.domain.refusals.terms import AllowanceChanged, AllowanceNotFound
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from services.ledger.store.stripes import stripe_count
from shared.clock import Clock
from shared.db.columns import Int4s

_NEW: Final = """
INSERT INTO ledger.allowances (partner, revision, limit_points, pool, updated_at) VALUES (%s, 0, 0, 0, %s)
ON CONFLICT (partner) DO NOTHING
"""
_LOCK: Final = "SELECT revision, limit_points FROM ledger.allowances WHERE partner = %s FOR UPDATE"
# A slice that is not there yet is made: from now on no batch can make one that knows of no allowance.
_LOCK_SLICE: Final = """
INSERT INTO ledger.slices AS s (bucket, partner, awarded, remaining) VALUES (%s, %s, 0, 0)
ON CONFLICT (bucket, partner) DO UPDATE SET remaining = coalesce(s.remaining, 0) RETURNING awarded, remaining
"""
_EMPTY: Final = "UPDATE ledger.slices SET remaining = 0 WHERE bucket = ANY(%b) AND partner = %s AND remaining > 0"
_SET: Final = """
UPDATE ledger.allowances SET revision = %s, limit_points = %s, pool = %s, updated_at = %s WHERE partner = %s
"""
_FOUND: Final = """
SELECT a.revision, a.limit_points, sum(s.awarded), a.pool + sum(s.remaining)
FROM ledger.allowances a JOIN ledger.slices s ON s.bucket = ANY(%b) AND s.partner = a.partner
WHERE a.partner = %s GROUP BY a.partner
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """`limit`: gross points that may ever be awarded; `awarded`: those that were; `remaining`: those that may yet."""

    partner: str
    revision: int
    limit: int
    awarded: int
    remaining: int


class Allowances:
    """Sets allowances and tells what is left of them. `engine` should end transactions that sleep: they hold a pool."""

    def __init__(self, engine: Engine, clock: Clock, bucket_count: int) -> None:
        self._engine = engine
        self._clock = clock
        self._stripes = stripe_count(bucket_count)

    def set(self, partner: str, revision: int, limit: int) -> tuple[Allowance, bool]:
        """The allowance as it stands now, and whether this revision had been set before.

        Raises AllowanceChanged for a revision that is not newer, unless it says the same.
        """
        now = self._clock.now()
        with writing(self._engine) as cursor:
            cursor.execute(_NEW, [partner, now])
            known, said = cursor.execute(_LOCK, [partner]).fetchone() or (0, 0)
            if again := revision <= known:
                if (revision, limit) != (known, said):
                    raise AllowanceChanged(partner=partner, revision=known)
            else:
                pool = self._dealt_anew(cursor, partner, limit)
                cursor.execute(_SET, [revision, limit, pool, now, partner])
            return self._found(cursor, partner), again

    def of(self, partner: str) -> Allowance:
        """What is left of a partner's allowance. Raises AllowanceNotFound."""
        with reading(self._engine) as cursor:
            return self._found(cursor, partner)

    def _dealt_anew(self, cursor: psycopg.Cursor[Row], partner: str, limit: int) -> int:
        """With the pool locked, lock every slice in order, see how much room there is; what the pool gets."""
        slices = [cursor.execute(_LOCK_SLICE, [stripe, partner]).fetchone() for stripe in range(self._stripes)]
        awarded, remaining = (sum(column) for column in zip(*filter(None, slices), strict=True))
        room = max(0, limit - awarded)
        if remaining <= room:
            return int(room - remaining)
        cursor.execute(_EMPTY, [Int4s(range(self._stripes)), partner])
        return int(room)

    def _found(self, cursor: psycopg.Cursor[Row], partner: str) -> Allowance:
        row = cursor.execute(_FOUND, [Int4s(range(self._stripes)), partner]).fetchone()
        if row is None:
            raise AllowanceNotFound(partner=partner)
        revision, limit, awarded, remaining = row
        return Allowance(partner, revision, limit, int(awarded), int(remaining))
