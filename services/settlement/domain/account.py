"""Bank accounts: where a partner is paid or collected from, and the operator's clearing accounts.

Entered by one person, approved by another, confirmed over a second channel; a change cools off before money follows it.
An account never changes: another IBAN is another account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from shared.canonical import Canonical, canonical


class Purpose(Enum):
    """What an account is for."""

    PARTNER = "PARTNER"
    CLEARING = "CLEARING"


class Channel(Enum):
    """How somebody made sure, apart from the message that named the account, that it is the partner's."""

    PHONE = "PHONE"
    LETTER = "LETTER"
    VISIT = "VISIT"
    BANK_CONFIRMATION = "BANK_CONFIRMATION"


@dataclass(frozen=True, slots=True)
class Mandate:
    """A partner's leave to collect from its account by direct debit."""

    id: str
    signed_on: date


@dataclass(frozen=True, slots=True)
class Account:
    """One bank account. `creditor_id` is the scheme's name for whoever collects: clearing accounts only."""

    partner: str
    purpose: Purpose
    currency: str
    holder: str
    iban: str
    bic: str
    mandate: Mandate | None = None
    creditor_id: str = ""

    def __repr__(self) -> str:
        """Never the number: what is printed ends up in logs."""
        return f"Account({self.partner}, {self.currency}, {masked(self.iban)})"

    @property
    def is_clearing(self) -> bool:
        """Whether it is the operator's own, through which everything goes."""
        return self.purpose is Purpose.CLEARING

    @property
    def bytes(self) -> bytes:
        """What two people agree on, to the letter."""
        mandate: Canonical = {}
        if self.mandate:
            mandate = {"id": self.mandate.id, "signed_on": self.mandate.signed_on.isoformat()}
        return canonical(
            {
                "bic": self.bic,
                "creditor_id": self.creditor_id,
                "currency": self.currency,
                "holder": self.holder,
                "iban": self.iban,
                "mandate": mandate,
                "partner": self.partner,
                "purpose": self.purpose.value,
            }
        )


def masked(iban: str) -> str:
    """Enough to tell two accounts apart, too little to pay into one: `DE..3000`."""
    return f"{iban[:2]}..{iban[-4:]}" if iban else ""


def usable_from(verified_at: datetime, *, replaces: bool, cooling: timedelta) -> datetime:
    """When money may go there: a first account at once, one that takes another's place when it has cooled off."""
    return verified_at + cooling if replaces else verified_at
