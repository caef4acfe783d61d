"""Payment instructions and the files that carry them. Amount, account and EndToEndId are fixed when a file is built."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from services.settlement.domain.account import Account


class Method(Enum):
    """How money moves: we pay; the partner pays in under a reference; we collect by direct debit."""

    CREDIT_TRANSFER = "CREDIT_TRANSFER"
    PAY_IN = "PAY_IN"
    DIRECT_DEBIT = "DIRECT_DEBIT"


class InstructionState(Enum):
    """Where an instruction stands; `domain/machines.py` says what may follow."""

    PENDING = "PENDING"
    FROZEN = "FROZEN"
    CANCELLED = "CANCELLED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    BOOKED = "BOOKED"
    RETURNED = "RETURNED"
    SUPERSEDED = "SUPERSEDED"
    CARRIED = "CARRIED"
    FINAL = "FINAL"


DEAD = frozenset({InstructionState.CANCELLED, InstructionState.SUPERSEDED, InstructionState.CARRIED})
"""No money will move by these any more; each batch, partner and currency has at most one that is not among them."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One line of a file: what goes to, or comes from, the account of a partner."""

    end_to_end_id: str
    amount_minor: int
    account: Account


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """All that a file says. Equal values give equal bytes: there is no clock in it but the row's own."""

    message_id: str
    method: Method
    clearing: Account
    on: date
    created_at: datetime
    payments: tuple[Payment, ...]

    @property
    def currency(self) -> str:
        """One file, one currency: that of the clearing account."""
        return self.clearing.currency

    @property
    def control_sum_minor(self) -> int:
        """What the bank checks the payments against."""
        return sum(payment.amount_minor for payment in self.payments)
