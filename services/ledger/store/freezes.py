"""Frozen buckets: what a check found there, kept until an operator has repaired it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine

from services.ledger.domain.refusals.buckets import BucketNotFrozen
from services.ledger.store.rows import Row
from services.ledger.store.session import reading, writing
from shared.instants import micros
from shared.verifying import Difference

_COLUMNS = "bucket, frozen_at, subject, name, detail"
_ALL = f"SELECT {_COLUMNS} FROM ledger.freezes ORDER BY bucket"
_ONE = f"SELECT {_COLUMNS} FROM ledger.freezes WHERE bucket = %s"
_HEAD = "UPDATE ledger.heads SET frozen = %s WHERE bucket = %s AND frozen <> %s"
_INSERT = f"INSERT INTO ledger.freezes ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
_DELETE = "DELETE FROM ledger.freezes WHERE bucket = %s"


class Freeze(NamedTuple):
    """A bucket that takes no postings, since when and why."""

    bucket: int
    frozen_at: int
    difference: Difference


class Freezes:
    """Freezing takes the head's lock: what is being posted is finished, the next batch finds the bucket frozen."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def freeze(self, bucket: int, at: datetime, difference: Difference) -> bool:
        """Whether it was this call that froze it."""
        with writing(self._engine) as cursor:
            fresh = cursor.execute(_HEAD, [True, bucket, True]).rowcount > 0
            cursor.execute(_INSERT, [bucket, at, difference.subject, difference.name, difference.detail])
        return fresh

    def thaw(self, bucket: int) -> Freeze:
        """Post there again. Raises BucketNotFrozen. Whoever calls has compared the bucket before."""
        with writing(self._engine) as cursor:
            cursor.execute(_HEAD, [False, bucket, False])
            row = cursor.execute(_ONE, [bucket]).fetchone()
            if row is None:
                raise BucketNotFrozen(bucket=bucket)
            cursor.execute(_DELETE, [bucket])
        return _freeze(row)

    def of(self, bucket: int) -> Freeze:
        """Raises BucketNotFrozen."""
        with reading(self._engine) as cursor:
            row = cursor.execute(_ONE, [bucket]).fetchone()
        if row is None:
            raise BucketNotFrozen(bucket=bucket)
        return _freeze(row)

    def all(self) -> list[Freeze]:
        """In bucket order."""
        with reading(self._engine) as cursor:
            return [_freeze(row) for row in cursor.execute(_ALL)]


def _freeze(row: Row) -> Freeze:
    bucket, frozen_at, subject, name, detail = row
    return Freeze(bucket, micros(frozen_at), Difference(subject, name, detail))
