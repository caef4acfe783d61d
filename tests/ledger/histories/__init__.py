"""Random histories of all verbs, for any ledger that a subclass brings."""

from tests.ledger.histories.drawn import Setting
from tests.ledger.histories.machine import BEGINNING, BUCKET_COUNT, BUCKETS, GRACE_DAYS, Histories

__all__ = ["BEGINNING", "BUCKETS", "BUCKET_COUNT", "GRACE_DAYS", "Histories", "Setting"]
