"""Random histories of all verbs, for any ledger that a subclass brings."""

from tests.ledger.histories.beside import GRACE_DAYS
from tests.ledger.histories.drawn import Setting
from tests.ledger.histories.machine import BUCKET_COUNT, Histories
from tests.ledger.histories.town import BEGINNING, BUCKETS

__all__ = ["BEGINNING", "BUCKETS", "BUCKET_COUNT", "GRACE_DAYS", "Histories", "Setting"]
