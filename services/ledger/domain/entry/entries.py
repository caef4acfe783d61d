"""Entries: one thing that happened to one wallet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from services.ledger.domain.entry.accounts import AccountKind
from services.ledger.domain.entry.balance import Balance, Unit
from services.ledger.domain.entry.postings import Posting
from services.ledger.domain.entry.references import Counterpart, Place, ReceiptRef

OPERATOR = "operator"


class EntryKind(IntEnum):
    """What happened. The numbers are those of the contract and of the database."""

    AWARD = 1
    HOLD = 2
    CAPTURE = 3
    RELEASE = 4
    REDEMPTION = 5
    REVERSAL = 6
    REFUND = 7
    EXPIRY = 8
    PENDING_RELEASE = 9
    TRANSFER_OUT = 10
    TRANSFER_IN = 11
    MERGE_OUT = 12
    MERGE_IN = 13
    ADJUSTMENT = 14
    EXTENSION = 15


CLOCK_KINDS = frozenset({EntryKind.RELEASE, EntryKind.EXPIRY, EntryKind.PENDING_RELEASE})
"""What the clock does by itself; the operator asks for anything else of its own."""


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that triples the price of making one
class Entry:
    """One entry of the journal. Instants are microseconds since 1970 in UTC.

    `points` and `balance` count `unit`, the first of the units that the entry touched; `others` are its balances in
    the rest of them. `original` is the seq, in the same bucket, of the entry that this one undoes, captures, extends
    or releases.
    """

    bucket: int
    seq: int
    kind: EntryKind
    wallet: UUID
    partner: str
    request_id: UUID
    request_hash: bytes
    points: int
    postings: tuple[Posting, ...]
    balance: Balance
    occurred_at: int
    posted_at: int
    original: int | None = None
    hold_until: int | None = None
    receipt: ReceiptRef | None = None
    store: str | None = None
    terminal: str | None = None
    unit: Unit = Unit.POINTS
    others: tuple[tuple[Unit, Balance], ...] = ()
    counterpart: Counterpart | None = None
    reason: str | None = None
    proposed_by: str | None = None
    approved_by: str | None = None
    hash: bytes = b""

    @property
    def place(self) -> Place:
        return Place(self.bucket, self.seq)

    @property
    def is_asked_for(self) -> bool:
        """Whether somebody asked for it, under a request id of theirs. The clock's work has none to remember."""
        return self.partner != OPERATOR or self.kind not in CLOCK_KINDS

    @property
    def written_off_points(self) -> int:
        """Of a reversal: what had been spent and could not be recovered."""
        return self._from(AccountKind.WRITTEN_OFF)

    @property
    def withheld_points(self) -> int:
        """Of a reversal: what the partner keeps back from the cash refund instead."""
        return self._from(AccountKind.WITHHELD)

    @property
    def owed_points(self) -> int:
        """Of a reversal: what the wallet owes from now on."""
        return self._from(AccountKind.OWED)

    @property
    def repaid_points(self) -> int:
        """What arrived and went to repay a debt at once."""
        return sum(p.points for p in self.postings if p.credit.kind is AccountKind.OWED and p.unit is self.unit)

    @property
    def recovered_points(self) -> int:
        """Of a reversal: what was taken back from the wallet."""
        if self.kind is not EntryKind.REVERSAL:
            return 0
        return self.points - self.written_off_points - self.withheld_points - self.owed_points

    def _from(self, kind: AccountKind) -> int:
        if self.kind is not EntryKind.REVERSAL:
            return 0
        return sum(p.points for p in self.postings if p.debit.kind is kind and p.unit is self.unit)
