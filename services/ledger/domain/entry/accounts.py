"""Accounts: where points can stand."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


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
