"""The journal's nouns: an entry is one thing that happened to one wallet; its postings say which points went where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from services.ledger.domain.points import MOST, positive

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


class AccountKind(IntEnum):
    """Where points can stand: up to 10 inside a wallet, the others outside.

    OWED is a wallet's debt to one issuer: a debit there raises the debt, a credit repays it.
    """

    AVAILABLE = 1
    PENDING = 2
    HELD = 3
    OWED = 4
    ISSUED = 11
    REDEEMED = 12
    EXPIRED = 13
    WRITTEN_OFF = 14
    WITHHELD = 15
    ADJUSTED = 16
    IN_TRANSIT = 17

    @property
    def is_inside(self) -> bool:
        """Whether it belongs to a wallet."""
        return self <= AccountKind.OWED


class Unit(IntEnum):
    """What is counted: redeemable points, tier points, stamps of a card, tickets of a draw."""

    POINTS = 1
    QUALIFYING = 2
    STAMPS = 3
    TICKETS = 4


class Account(NamedTuple):
    """An account of the wallet, of a partner (its party), or between wallets."""

    kind: AccountKind
    party: str = ""

    def __str__(self) -> str:
        return f"{self.kind.name}:{self.party}" if self.party else self.kind.name


AVAILABLE = Account(AccountKind.AVAILABLE)
PENDING = Account(AccountKind.PENDING)
HELD = Account(AccountKind.HELD)
IN_TRANSIT = Account(AccountKind.IN_TRANSIT)
"""Where points are that have left one wallet and not reached the other."""


@lru_cache(maxsize=4096)
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


def owed(issuer: str) -> Account:
    """What the wallet owes an issuer after a clawback."""
    return Account(AccountKind.OWED, issuer)


def withheld(partner: str) -> Account:
    """What stands in for points whose worth the partner keeps back from a cash refund."""
    return Account(AccountKind.WITHHELD, partner)


def adjusted(partner: str) -> Account:
    """Where a manual correction of a partner's points comes from or goes."""
    return Account(AccountKind.ADJUSTED, partner)


class LotId(NamedTuple):
    """The entry line that made the lot, in the wallet's bucket."""

    seq: int
    line: int

    def __str__(self) -> str:
        return f"{self.seq}.{self.line}"


class Origin(NamedTuple):
    """The award line that a moved lot first came from, in whatever bucket."""

    bucket: int
    seq: int
    line: int

    def __str__(self) -> str:
        return f"{self.bucket}-{self.seq}.{self.line}"


class LotTerms(NamedTuple):
    """What a posting says of a lot that it makes, or sends to another wallet.

    `earned_at` and `available_from` in microseconds; `earned_at` None: when the entry occurred. `idle_days`: the lot
    ends so many days after the wallet's last activity.
    """

    earned_at: int | None = None
    available_from: int | None = None
    idle_days: int | None = None
    campaign: str = ""
    origin: Origin | None = None


PLAIN = LotTerms()


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that triples the price of making one
class Posting:
    """Points of one lot from one account to another. `expires_on` is the lot's last day of use afterwards.

    `for_lot` is the award lot whose reversal or debt the posting settles, when that is not `lot` itself.
    """

    debit: Account
    credit: Account
    points: int
    lot: LotId
    issuer: str
    expires_on: date | None
    unit: Unit = Unit.POINTS
    for_lot: LotId | None = None
    terms: LotTerms = PLAIN

    def __post_init__(self) -> None:
        if not 0 < self.points <= MOST:
            positive(self.points)
        if self.debit == self.credit:
            raise ValueError(f"a posting from {self.debit} to itself goes nowhere")


class Balance(NamedTuple):
    """What a wallet holds of one unit: its balance is available + pending + held - debt."""

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


class Counterpart(NamedTuple):
    """The other wallet of a transfer or merge. On the leg that arrives, `seq` is that of the leg that left."""

    bucket: int
    wallet: UUID
    seq: int | None = None


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
