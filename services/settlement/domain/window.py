"""A window: what lies between two checkpoints of the ledger. Membership compares integers; no clock takes part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.money import ISO_4217_EDITION


class WindowState(Enum):
    """Windows only go forward."""

    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    SETTLED = "SETTLED"

    @property
    def is_final(self) -> bool:
        """Whether its numbers are fixed for ever."""
        return self in {WindowState.CLOSED, WindowState.SETTLED}


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
    how many contract versions there were when it was booked, `currency_edition` the edition of ISO 4217 that gave the
    decimals; `own_from` and `own_to` its interval in settlement's own journal. `statements_root` is empty until the
    statements are signed, which comes after closing.
    """

    number: int
    state: WindowState
    opened_at: int
    from_checkpoint: int | None
    from_seqs: tuple[int, ...]
    to: Edge | None = None
    asked_to_close: bool = False
    asked_by: str = ""
    closed_at: int | None = None
    statements_root: bytes = b""
    versions_known: int = 0
    own_from: int = 0
    own_to: int = 0
    currency_edition: str = ISO_4217_EDITION

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"windows/{self.number}"

    def from_seq(self, bucket: int) -> int:
        return self.from_seqs[bucket] if bucket < len(self.from_seqs) else 0

    def is_late(self, occurred_at: int) -> bool:
        """Whether an entry of this window belongs to a business day before it. The first window has no before."""
        return self.late_by(occurred_at) > 0

    def late_by(self, occurred_at: int) -> int:
        """How many microseconds before the window it happened; 0 for what is not late."""
        return max(self.opened_at - occurred_at, 0) if self.number > 1 else 0
