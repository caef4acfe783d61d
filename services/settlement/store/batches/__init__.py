"""Batches as rows: made over slices, calculated, decided, released, and followed until everything is final.

Here is what others call: payments tell when something moved (`follow`) and what is carried over (`carry`).
"""

from services.settlement.store.batches.following import follow
from services.settlement.store.batches.openings import carry

__all__ = ["carry", "follow"]
