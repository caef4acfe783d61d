"""A line of the bank is a payment of ours only when everything agrees; each way of not agreeing has its name."""

from __future__ import annotations

from datetime import date

import pytest

from services.settlement.domain.breaks import BreakReason, Found
from services.settlement.domain.evidence import Verdict
from services.settlement.domain.matching import Booked, Match, Payment, judged, one_sum, unexpected

LINE = Booked(7, False, 1000, "EUR", "DE89370400440532013000", date(2026, 10, 1), False, True)
PAY = Payment("batches/1/instructions/B1-A-1", 1, True, 1000, "EUR", "DE89370400440532013000", "SENT")
COLLECT = PAY._replace(name="batches/1/instructions/B1-C-1", is_pay=False)
CREDIT = LINE._replace(is_credit=True)


def reason(one: Match | Found | None) -> BreakReason | None:
    return one.reason if isinstance(one, Found) else None


def test_a_line_that_agrees_books_its_payment() -> None:
    assert judged(LINE, PAY, None) == Match(LINE, (PAY.name,), Verdict.BOOKED)
    assert judged(CREDIT, None, COLLECT) == Match(CREDIT, (COLLECT.name,), Verdict.BOOKED)


def test_money_that_comes_back_returns_its_payment() -> None:
    came_back = CREDIT._replace(is_return=True)
    assert judged(came_back, PAY._replace(state="BOOKED", taken=frozenset({Verdict.BOOKED})), None) == Match(
        came_back, (PAY.name,), Verdict.RETURNED
    )


@pytest.mark.parametrize(
    ("line", "payment", "expected"),
    [
        (LINE._replace(amount_minor=1001), PAY, BreakReason.AMOUNT_MISMATCH),
        (LINE._replace(currency="USD"), PAY, BreakReason.CURRENCY_MISMATCH),
        (LINE._replace(counterparty_account="NL41MOCK0000000001"), PAY, BreakReason.COUNTERPARTY_MISMATCH),
        (CREDIT, PAY, BreakReason.UNEXPECTED_LINE),
        (LINE, PAY._replace(state="CANCELLED"), BreakReason.EVIDENCE_FOR_CANCELLED),
        (LINE, PAY._replace(state="SUPERSEDED"), BreakReason.DOUBLE_BOOKED),
        (LINE, PAY._replace(state="CARRIED"), BreakReason.DOUBLE_BOOKED),
        (LINE, PAY._replace(taken=frozenset({Verdict.BOOKED})), BreakReason.DOUBLE_BOOKED),
        (LINE, PAY._replace(state="FROZEN"), BreakReason.EVIDENCE_FOR_UNSENT),
        (CREDIT._replace(amount_minor=999), COLLECT, BreakReason.SHORT_PAYMENT),
        (CREDIT._replace(amount_minor=1001), COLLECT, BreakReason.AMOUNT_MISMATCH),
        (CREDIT._replace(is_return=True), PAY._replace(state="FINAL"), BreakReason.RETURN_AFTER_FINAL),
    ],
)
def test_whatever_does_not_agree_is_a_break_with_its_own_name(
    line: Booked, payment: Payment, expected: BreakReason
) -> None:
    assert reason(judged(line, payment, None)) is expected


def test_a_line_without_a_payment_is_left_to_a_person_and_never_set_off() -> None:
    assert judged(LINE, None, None) is None
    assert unexpected(LINE) == Found(
        BreakReason.UNEXPECTED_LINE, "bankLines/7", "no payment of ours fits", currency="EUR", amount_minor=1000
    )


def test_a_file_booked_as_one_sum_books_all_of_its_payments_or_none() -> None:
    other = PAY._replace(name="batches/1/instructions/B1-B-1", amount_minor=500)
    whole = LINE._replace(amount_minor=1500)
    assert one_sum(whole, [PAY, other]) == Match(whole, (PAY.name, other.name), Verdict.BOOKED)
    assert reason(one_sum(LINE, [PAY, other])) is BreakReason.AMOUNT_MISMATCH
    assert reason(one_sum(whole, [PAY, other._replace(taken=frozenset({Verdict.BOOKED}))])) is BreakReason.DOUBLE_BOOKED
    assert one_sum(LINE, []) is None
