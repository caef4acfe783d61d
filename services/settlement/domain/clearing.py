"""What a clearing account shows, beside what the books expect of it; where they differ, releases stop (F03, F06, F25).

The bank's statements lead from one to the next without a gap, and every line of them is a payment of ours or stands on
`suspense` with a break of its own. So what can differ is what our payments say beyond them: booked, or come back, and
no statement shows it.
"""

from __future__ import annotations

from typing import NamedTuple

from services.settlement.domain.breaks import BreakReason, Found
from shared.money import decimal_text, exponent_of, major
from shared.refusal import Kind, Refusal


class Clearing(NamedTuple):
    """One clearing account after its newest statement, in signed minor units.

    `unshown_minor` is what payments moved that no statement shows; `given_up_minor` what of it persons have decided on.
    `batch` is whose payments these are, when they are of one.
    """

    account: str
    currency: str
    statement: str
    closing_minor: int
    unshown_minor: int
    given_up_minor: int
    batch: int | None

    @property
    def expected_minor(self) -> int:
        """The balance that the books expect."""
        return self.closing_minor + self.unshown_minor + self.given_up_minor


class ClearingMismatch(Refusal):
    """The bank's account, or a batch, is not what the books expect (F03, F25)."""

    kind = Kind.NOT_NOW
    message = (
        "Nothing is released in {currency}: {found_minor} minor units were found on {where}, "
        "the books expect {expected_minor}."
    )
    remedy = "Find out what {difference_minor} minor units are, then explain {name}; releases go on from there."


class ClearingOverdrawn(Refusal):
    """The bank's own statement of the clearing account closes below zero (F06)."""

    kind = Kind.NOT_NOW
    message = (
        "Nothing is released in {currency}: {where} closes with {found_minor} minor units, "
        "at least {expected_minor} are expected."
    )
    remedy = "Cover the account and import the statement that shows it; then {name} is over and releases go on."


def found(clearing: Clearing) -> dict[BreakReason, Found]:
    """What is wrong with an account now, by its reason; empty when it shows what it should."""
    wrong = {}
    if clearing.expected_minor != clearing.closing_minor:
        wrong[BreakReason.CLEARING_MISMATCH] = _stop(
            BreakReason.CLEARING_MISMATCH, clearing, clearing.expected_minor, "the books expect"
        )
    if clearing.closing_minor < 0:
        wrong[BreakReason.CLEARING_OVERDRAWN] = _stop(
            BreakReason.CLEARING_OVERDRAWN, clearing, 0, "it is to be at least"
        )
    return wrong


def _stop(reason: BreakReason, clearing: Clearing, expected_minor: int, of_what: str) -> Found:
    found_minor, currency = clearing.closing_minor, clearing.currency
    batch = clearing.batch if reason is BreakReason.CLEARING_MISMATCH else None
    closes, expected = text_of(found_minor, currency), text_of(expected_minor, currency)
    return Found(
        reason,
        clearing.statement,
        f"{clearing.account} closes with {closes}, {of_what} {expected}",
        batch,
        currency=currency,
        amount_minor=abs(found_minor - expected_minor),
        account=clearing.account,
        expected_minor=expected_minor,
        found_minor=found_minor,
    )


def subject_of(batch: int, currency: str) -> str:
    """How a break names what a batch moved in a currency."""
    return f"batches/{batch}/{currency}"


def unbalanced(batch: int, currency: str, expected_minor: int, found_minor: int) -> Found:
    """A batch whose payments are all final and moved something else than it carried and held (F03)."""
    return Found(
        BreakReason.CLEARING_MISMATCH,
        subject_of(batch, currency),
        f"collected less paid is {text_of(found_minor, currency)}, "
        f"what was carried and held is {text_of(expected_minor, currency)}",
        batch,
        currency=currency,
        amount_minor=abs(found_minor - expected_minor),
        expected_minor=expected_minor,
        found_minor=found_minor,
    )


def text_of(minor: int, currency: str) -> str:
    """An amount for people."""
    return f"{decimal_text(major(minor, exponent_of(currency)))} {currency}"
