"""Matching: which payment of ours a line of the bank is, or why it is none. Tolerance is zero.

A line is found by the id that we gave the payment, else by the structured reference; then amount, currency, direction
and counterparty must agree. What agrees only in amount, counterparty and day is a proposal for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.settlement.domain.breaks import BreakReason, Found
from services.settlement.domain.evidence import Verdict

_OVER = {"CANCELLED": BreakReason.EVIDENCE_FOR_CANCELLED}
_REPLACED = {"SUPERSEDED", "CARRIED"}
_UNSENT = {"PENDING", "FROZEN"}


class Booked(NamedTuple):
    """A line of the bank as matching sees it."""

    id: int
    is_credit: bool
    amount_minor: int
    currency: str
    counterparty_account: str
    booked_on: date
    is_return: bool
    stated: bool

    @property
    def name(self) -> str:
        return f"bankLines/{self.id}"


class Payment(NamedTuple):
    """An instruction as matching sees it. `taken`: the verdicts that a line of this kind already gave it."""

    name: str
    batch: int
    is_pay: bool
    amount_minor: int
    currency: str
    account: str
    state: str
    taken: frozenset[Verdict] = frozenset()


class Match(NamedTuple):
    """A line and the payments that it settles: one, or a whole file that the bank booked as one sum."""

    line: Booked
    payments: tuple[str, ...]
    verdict: Verdict


def judged(line: Booked, named: Payment | None, referenced: Payment | None) -> Match | Found | None:
    """What a line is, given the payment that its id names and the one that its reference names; None: nothing of ours
    that we can tell."""
    payment = named or referenced
    if payment is None:
        return None
    verdict = verdict_of(line, payment)
    if payment.currency != line.currency:
        return _found(BreakReason.CURRENCY_MISMATCH, line, payment, f"the payment is in {payment.currency}")
    if verdict is None:
        return _found(BreakReason.UNEXPECTED_LINE, line, payment, "the money went the other way")
    if payment.state in _OVER:
        return _found(_OVER[payment.state], line, payment, "the payment was cancelled")
    if payment.state in _REPLACED or verdict in payment.taken:
        return _found(BreakReason.DOUBLE_BOOKED, line, payment, f"the payment is {payment.state} already")
    if payment.state in _UNSENT and payment.is_pay:
        return _found(BreakReason.EVIDENCE_FOR_UNSENT, line, payment, "the payment was not sent yet")
    if line.amount_minor != payment.amount_minor:
        short = not payment.is_pay and line.amount_minor < payment.amount_minor and verdict is Verdict.BOOKED
        reason = BreakReason.SHORT_PAYMENT if short else BreakReason.AMOUNT_MISMATCH
        return _found(reason, line, payment, f"the payment is of {payment.amount_minor}")
    by_id = named is not None  # who pays in under its reference may use any account
    if by_id and line.counterparty_account and payment.account and line.counterparty_account != payment.account:
        return _found(BreakReason.COUNTERPARTY_MISMATCH, line, payment, "another account than the payment's")
    if verdict is Verdict.RETURNED and payment.state == "FINAL":
        return _found(BreakReason.RETURN_AFTER_FINAL, line, payment, "the payment was final")
    return Match(line, (payment.name,), verdict)


def verdict_of(line: Booked, payment: Payment) -> Verdict | None:
    """What a line says of a payment by the way the money went; None when it went the wrong way."""
    if line.is_return:
        return Verdict.RETURNED if line.is_credit == payment.is_pay else None
    return Verdict.BOOKED if line.is_credit != payment.is_pay else None


def one_sum(line: Booked, payments: Sequence[Payment]) -> Match | Found | None:
    """A line that names a whole file: it must be all of its payments, to the minor unit."""
    if not payments:
        return None
    total = sum(payment.amount_minor for payment in payments)
    first = payments[0]
    if line.currency != first.currency or verdict_of(line, first) is not Verdict.BOOKED or line.amount_minor != total:
        return _found(BreakReason.AMOUNT_MISMATCH, line, first, f"the file is of {total} {first.currency}")
    if any(Verdict.BOOKED in payment.taken for payment in payments):
        return _found(BreakReason.DOUBLE_BOOKED, line, first, "payments of the file are booked already")
    return Match(line, tuple(payment.name for payment in payments), Verdict.BOOKED)


def unexpected(line: Booked) -> Found:
    """A line that is nothing of ours: never set off against anything (F09)."""
    return Found(
        BreakReason.UNEXPECTED_LINE,
        line.name,
        "no payment of ours fits",
        currency=line.currency,
        amount_minor=line.amount_minor,
    )


def _found(reason: BreakReason, line: Booked, payment: Payment, why: str) -> Found:
    return Found(reason, line.name, why, payment.batch, payment.name, line.currency, line.amount_minor)
