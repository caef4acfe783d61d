"""Bank accounts that look real: check digits right, money nowhere."""

from __future__ import annotations

from datetime import date

from mockbank.db import iban

from services.settlement.domain.account import Account, Mandate, Purpose

BANK = "MOCKDEFF"


def german(number: int) -> str:
    """A German IBAN by its account number."""
    return str(iban("DE", f"10010010{number:010d}"))


def clearing(currency: str = "EUR", number: int = 1) -> Account:
    """The operator's account at the test bank."""
    return Account(
        partner="operator",
        purpose=Purpose.CLEARING,
        currency=currency,
        holder="Coalition Clearing",
        iban=german(number),
        bic=BANK,
        creditor_id="DE98ZZZ09999999999",
    )


def account_of(partner: str, number: int, currency: str = "EUR", *, mandate: bool = False) -> Account:
    """A partner's account."""
    return Account(
        partner=partner,
        purpose=Purpose.PARTNER,
        currency=currency,
        holder=f"Partner {partner}",
        iban=german(number),
        bic=BANK,
        mandate=Mandate(f"M-{partner}", date(2026, 1, 5)) if mandate else None,
    )
