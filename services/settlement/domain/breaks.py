"""Breaks: what the bank says that does not follow from what we sent, kept until a person or evidence resolves it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from shared.refusal import Kind, Refusal


class BreakReason(Enum):
    """Why a break was opened. F01 to F36 of the design's finalisation checks lead to these."""

    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    BALANCE_BROKEN = "BALANCE_BROKEN"
    BOOKED_AFTER_REJECTION = "BOOKED_AFTER_REJECTION"
    CLEARING_MISMATCH = "CLEARING_MISMATCH"
    CLEARING_OVERDRAWN = "CLEARING_OVERDRAWN"
    COUNTERPARTY_MISMATCH = "COUNTERPARTY_MISMATCH"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    DOUBLE_BOOKED = "DOUBLE_BOOKED"
    EVIDENCE_FOR_CANCELLED = "EVIDENCE_FOR_CANCELLED"
    EVIDENCE_FOR_UNSENT = "EVIDENCE_FOR_UNSENT"
    NOT_BOOKED = "NOT_BOOKED"
    RETURN_AFTER_FINAL = "RETURN_AFTER_FINAL"
    SHORT_PAYMENT = "SHORT_PAYMENT"
    STATEMENT_GAP = "STATEMENT_GAP"
    UNEXPECTED_LINE = "UNEXPECTED_LINE"
    UNKNOWN_FILE = "UNKNOWN_FILE"
    UNKNOWN_PAYMENT = "UNKNOWN_PAYMENT"


STOPS: Final[Mapping[BreakReason, frozenset[str]]] = {
    BreakReason.CLEARING_MISMATCH: frozenset({"OPEN"}),
    BreakReason.CLEARING_OVERDRAWN: frozenset({"OPEN", "EXPLAINED"}),
}
"""A break of these reasons is a stop: in these states nothing is released in its currency.

What is unclear stops it until a person has said what it is (F03, F25). What is not there is not there by being
explained: it stops until a statement shows that it came (F06).
"""


class Found(NamedTuple):
    """A break before it has a number. `subject` is what it is about: a line, an instruction, a file; one break for
    each reason and subject, however often it is looked at. The amount is in minor units, 0 where none is in doubt.

    A stop also says what the books expect and what was found, in signed minor units, and on which account of ours.
    """

    reason: BreakReason
    subject: str
    detail: str
    batch: int | None = None
    instruction: str = ""
    currency: str = ""
    amount_minor: int = 0
    account: str = ""
    expected_minor: int = 0
    found_minor: int = 0


class BreakNotFound(Refusal):
    """No break has this name."""

    kind = Kind.NOT_THERE
    message = "There is no break {name}."
    remedy = "List the breaks."


class OwnImport(Refusal):
    """Who imports a statement writes off none of its breaks."""

    kind = Kind.NOT_ALLOWED
    message = "{name} was found in a file that {by} imported."
    remedy = "Ask another reconciler to write it off."


class WriteOffTooLarge(Refusal):
    """More than two persons may give up by themselves."""

    kind = Kind.OUTSIDE
    message = "{name} is about {amount_minor} minor units of {currency}; up to {limit_minor} may be written off."
    remedy = "Resolve it by evidence or by an adjustment."


class EndsByStatement(Refusal):
    """What is not on the account is not there by a person's word."""

    kind = Kind.NOT_NOW
    message = "{name} is {reason}: no person ends it, only a statement of {account} that is not below zero."
    remedy = "Cover the account, then import its next statement."
