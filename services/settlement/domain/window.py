"""A window: what lies between two checkpoints of the ledger. Membership compares integers; no clock takes part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class WindowState(Enum):
    """Windows only go forward."""

    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Edge:
    """A checkpoint as settlement keeps it: the heads' seqs and hashes in bucket order, signed by the ledger.

    `tree_root`, over all entries, is signed apart; a checkpoint of the first release has neither.
    """

    checkpoint: int
    seqs: tuple[int, ...]
    hashes: tuple[bytes, ...]
    root: bytes
    created_at: int
    signature: bytes
    key_id: str
    tree_root: bytes = b""
    tree_signature: bytes = b""

    @property
    def entry_count(self) -> int:
        return sum(self.seqs)


@dataclass(frozen=True, slots=True)
class Window:
    """`opened_at` is the instant of the checkpoint it begins after: what happened before it comes late.

    `from_seqs` is empty before anything was ever read; `to` is None while the window is open. `versions_known` is
    how many contract versions there were when it was booked.
    """

    number: int
    state: WindowState
    opened_at: int
    from_checkpoint: int | None
    from_seqs: tuple[int, ...]
    to: Edge | None = None
    asked_to_close: bool = False
    closed_at: int | None = None
    statements_root: bytes = b""
    versions_known: int = 0

    def from_seq(self, bucket: int) -> int:
        return self.from_seqs[bucket] if bucket < len(self.from_seqs) else 0

    def is_late(self, occurred_at: int) -> bool:
        """Whether an entry of this window belongs to a business day before it. The first window has no before."""
        return self.number > 1 and occurred_at < self.opened_at
