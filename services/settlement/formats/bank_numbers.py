"""IBAN and BIC as `schwifty` knows them. Asked when an account is entered and again when a file is built.

No refusal repeats the number: what was mistyped is somebody's account too.
"""

from __future__ import annotations

import re

from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from services.settlement.domain.account import Account
from services.settlement.domain.refusals import BankAccountInvalid

_HOLDER = re.compile(r"[A-Za-z0-9/?:().,'+ -]{1,70}")
_WORD_EDGE = re.compile(r"(?<=[a-z])(?=[A-Z])")


def iban_of(text: str) -> str:
    """The IBAN, without blanks, in capitals. Raises BankAccountInvalid."""
    try:
        return IBAN(text).compact
    except SchwiftyException as error:
        raise BankAccountInvalid(field="iban", why=_why(error)) from None


def bic_of(text: str, iban: str) -> str:
    """The BIC; where none is given, the one that the IBAN's bank code is known to have. Raises BankAccountInvalid."""
    if not text:
        known = IBAN(iban).bic
        if known is None:
            raise BankAccountInvalid(field="bic", why="not given, and not known for this IBAN")
        return known.compact
    try:
        return BIC(text).compact
    except SchwiftyException as error:
        raise BankAccountInvalid(field="bic", why=_why(error)) from None


def holder_of(text: str) -> str:
    """The holder's name, in the alphabet that every bank carries unchanged. Raises BankAccountInvalid."""
    if not _HOLDER.fullmatch(text) or text != text.strip():
        raise BankAccountInvalid(field="holder", why="not 1 to 70 characters of a-z, A-Z, 0-9, blank and /-?:().,'+")
    return text


def check(account: Account) -> None:
    """What was right when it was entered must be right when a file is built. Raises BankAccountInvalid."""
    if iban_of(account.iban) != account.iban:
        raise BankAccountInvalid(field="iban", why="not written without blanks in capitals")
    if bic_of(account.bic, account.iban) != account.bic:
        raise BankAccountInvalid(field="bic", why="not written without blanks in capitals")
    holder_of(account.holder)


def _why(error: SchwiftyException) -> str:
    """The kind of mistake, from the class: the library's sentence quotes the number."""
    return _WORD_EDGE.sub(" ", type(error).__name__).lower()
