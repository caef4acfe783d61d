"""Legs: what a line is for, and which side of it is the partner whose contract it follows."""

from __future__ import annotations

from enum import Enum

OPERATOR = "operator"
"""The participant that stands between the partners."""


class Leg(Enum):
    """The first four come from entries of the journal, the others from the contract alone.

    PREPAID is points bought ahead, COVER what they cover of ISSUANCE, FEE a service fee.
    """

    ISSUANCE = "ISSUANCE"
    REDEMPTION = "REDEMPTION"
    REIMBURSEMENT = "REIMBURSEMENT"
    BREAKAGE = "BREAKAGE"
    PREPAID = "PREPAID"
    COVER = "COVER"
    FEE = "FEE"

    __hash__ = object.__hash__  # members are single, and Enum's own hash is a call in Python for each of millions

    @property
    def partner_owes(self) -> bool:
        """Whether the partner whose contract prices it is the debtor."""
        return self in _PARTNER_OWES


_PARTNER_OWES = frozenset({Leg.ISSUANCE, Leg.REDEMPTION, Leg.PREPAID, Leg.FEE})


def sides(leg: Leg, partner: str, counterparty: str = OPERATOR) -> tuple[str, str]:
    """Debtor and creditor."""
    return (partner, counterparty) if leg.partner_owes else (counterparty, partner)
