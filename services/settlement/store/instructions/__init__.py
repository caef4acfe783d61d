"""Payment instructions: made when a batch is calculated, one alive for each batch, partner and currency."""

from services.settlement.store.instructions.making import Obstacle, another, cancel, make
from services.settlement.store.instructions.rows import SELF, TABLE, Stored, found, of_batch, page, stored_of

__all__ = [
    "SELF",
    "TABLE",
    "Obstacle",
    "Stored",
    "another",
    "cancel",
    "found",
    "make",
    "of_batch",
    "page",
    "stored_of",
]
