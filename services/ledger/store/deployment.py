"""What was decided when the deployment was created, and never changes: the number of buckets."""

from __future__ import annotations

from sqlalchemy import Engine

from services.ledger.domain.chain import START
from services.ledger.domain.refusals.buckets import BucketCountChanged
from services.ledger.store.session import writing

_CREATE = "INSERT INTO ledger.deployment (bucket_count) VALUES (%s) ON CONFLICT DO NOTHING"
_CREATED = "SELECT bucket_count FROM ledger.deployment"
_HEADS = """
INSERT INTO ledger.heads (bucket, seq, hash) SELECT b, 0, %s FROM generate_series(0, %s) AS b ON CONFLICT DO NOTHING
"""


def prepare(engine: Engine, bucket_count: int) -> None:
    """Make the heads at the first start. Raises BucketCountChanged when the settings say another number later."""
    with writing(engine) as cursor:
        cursor.execute(_CREATE, [bucket_count])
        (created,) = cursor.execute(_CREATED).fetchone() or (bucket_count,)
        if created != bucket_count:
            raise BucketCountChanged(created=created, configured=bucket_count)
        cursor.execute(_HEADS, [START, bucket_count - 1])
