"""The journal's nouns: an entry is one thing that happened to one wallet; its postings say which points went where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from services.ledger.domain.points import positive

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


class AccountKind(IntEnum):
    """Where points can stand: three accounts of a wallet, four of a partner."""

    AVAILABLE = 1
    PENDING = 2
    HELD = 3
    ISSUED = 11
    REDEEMED = 12
    EXPIRED = 13
    WRITTEN_OFF = 14


class Unit(IntEnum):
    """What is counted."""

    POINTS = 1


class Account(NamedTuple):
    """An account of the wallet (no party), or of a partner."""

    kind: AccountKind
    party: str = ""

    def __str__(self) -> str:
        return f"{self.kind.name}:{self.party}" if self.party else self.kind.name


AVAILABLE = Account(AccountKind.AVAILABLE)
PENDING = Account(AccountKind.PENDING)
HELD = Account(AccountKind.HELD)


def issued(partner: str) -> Account:
    """Where a partner's points come from."""
    return Account(AccountKind.ISSUED, partner)


def redeemed(partner: str) -> Account:
    """Where points go that a partner takes."""
    return Account(AccountKind.REDEEMED, partner)


def expired(partner: str) -> Account:
    """Where an issuer's points go that end by their date."""
    return Account(AccountKind.EXPIRED, partner)


def written_off(partner: str) -> Account:
    """What stands in for points that an issuer cannot get back."""
    return Account(AccountKind.WRITTEN_OFF, partner)


class LotId(NamedTuple):
    """The award line that made the lot: entry and line in the wallet's bucket."""

    seq: int
    line: int

    def __str__(self) -> str:
        return f"{self.seq}.{self.line}"


@dataclass(frozen=True, slots=True)
class Posting:
    """Points of one lot from one account to another. `expires_on` is the lot's last day of use afterwards."""

    debit: Account
    credit: Account
    points: int
    lot: LotId
    issuer: str
    expires_on: date | None
    unit: Unit = Unit.POINTS

    def __post_init__(self) -> None:
        positive(self.points)
        if self.debit == self.credit:
            raise ValueError(f"a posting from {self.debit} to itself goes nowhere")


class Balance(NamedTuple):
    """What a wallet holds: its balance is available + pending + held - debt."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0

    @property
    def total(self) -> int:
        return self.available + self.pending + self.held - self.debt

    @property
    def most(self) -> int:
        """What could become available at most, once nothing is pending or held."""
        return self.available + self.pending + self.held


class ReceiptRef(NamedTuple):
    """A sale's receipt. With the partner it counts once in the whole programme."""

    store: str
    terminal: str
    business_date: date
    receipt_no: str


class Place(NamedTuple):
    """Where an entry stands in the journal."""

    bucket: int
    seq: int

    def __str__(self) -> str:
        return f"{self.bucket}-{self.seq}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal. Instants are microseconds since 1970 in UTC.

    `original` is the seq, in the same bucket, of the entry that this one undoes, captures or releases.
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
    hash: bytes = b""

    @property
    def place(self) -> Place:
        return Place(self.bucket, self.seq)

    @property
    def is_asked_for(self) -> bool:
        """Whether somebody asked for it, under a request id of theirs. The clock's work has none to remember."""
        return self.partner != OPERATOR

    @property
    def written_off_points(self) -> int:
        """Of a reversal: what had been spent and could not be recovered."""
        return sum(p.points for p in self.postings if p.debit.kind is AccountKind.WRITTEN_OFF)

    @property
    def recovered_points(self) -> int:
        """Of a reversal: what was taken back from the wallet."""
        return self.points - self.written_off_points if self.kind is EntryKind.REVERSAL else 0
