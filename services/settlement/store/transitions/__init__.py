"""The only way in which a state changes: guarded by the state before, and written down beside it.

Each resource has a chain of its own: a row holds the hash of the row before, so none can be taken out or changed
without the next one noticing, and the newest names the state that the resource must have.
"""

from services.settlement.store.transitions.chain import BEGINNING, Row, broken, chain
from services.settlement.store.transitions.moving import (
    EtagMismatch,
    ResourceNotFound,
    begin,
    begin_all,
    move,
    move_all,
)

__all__ = [
    "BEGINNING",
    "EtagMismatch",
    "ResourceNotFound",
    "Row",
    "begin",
    "begin_all",
    "broken",
    "chain",
    "move",
    "move_all",
]
