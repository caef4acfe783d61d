"""The books balance by construction, and every amount stands where an accountant looks for it."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.double_entry import (
    CLEARING,
    BookEntry,
    as_csv,
    balances,
    moved,
    of_bank_line,
    of_conversion,
    of_line,
)
from services.settlement.domain.legs import Leg
from services.settlement.domain.lines import Line, LineKey
from services.settlement.domain.terms import Rounding
from shared.money import Rate

DAY = date(2026, 3, 31)
HALF_EVEN = Rounding.CUMULATIVE_HALF_EVEN


def line(leg: Leg, partner: str, booked: int, tax: int = 0, counterparty: str = "operator") -> Line:
    return Line(LineKey(leg, partner, "EUR", Rate.of("0.01"), HALF_EVEN, counterparty), 1, 1, 0, 0, booked, tax)


def test_a_partner_that_is_settled_stands_at_zero_and_the_operator_keeps_the_margin() -> None:
    entries = [
        *of_line(line(Leg.ISSUANCE, "alpha", 148_148, 29_630), DAY, "windows/1/lines/1"),
        *of_line(line(Leg.REIMBURSEMENT, "gamma", 18_091, 3_618), DAY, "windows/1/lines/2"),
        *of_bank_line(DAY, "bankLines/1", "partner/alpha", "EUR", 177_778),
        *of_bank_line(DAY, "bankLines/2", "partner/gamma", "EUR", -21_709),
    ]
    found = balances(entries)
    assert found["partner/alpha", "EUR"] == found["partner/gamma", "EUR"] == 0
    assert found[CLEARING, "EUR"] == 177_778 - 21_709
    assert (found["operator", "EUR"], found["tax", "EUR"]) == (-(148_148 - 18_091), -(29_630 - 3_618))


def test_a_direct_debt_stands_between_the_two_partners_alone() -> None:
    [entry] = of_line(line(Leg.REDEMPTION, "alpha", 100, counterparty="beta"), DAY, "s")
    assert (entry.debit, entry.credit) == ("partner/alpha", "partner/beta")


def test_a_conversion_leaves_one_currency_and_arrives_in_the_other() -> None:
    found = balances(of_conversion(DAY, "batches/1", "alpha", ("USD", 1000), ("EUR", 920)))
    assert found["partner/alpha", "USD"] == 1000
    assert found["partner/alpha", "EUR"] == -920
    assert (found["fx", "USD"], found["fx", "EUR"]) == (-1000, 920)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(-(10**20), 10**20))))
def test_whatever_is_booked_adds_up_to_zero(moves: list[tuple[str, str, int]]) -> None:
    entries = [entry for debit, credit, minor in moves for entry in moved(DAY, "s", debit, credit, "EUR", minor)]
    assert sum(balances(entries).values()) == 0
    assert all(entry.amount_minor > 0 and entry.debit != entry.credit for entry in entries)


def test_the_export_names_accounts_as_the_general_ledger_does_and_ends_with_its_sums() -> None:
    entries = [
        BookEntry(DAY, "s", "partner/alpha", "operator", "EUR", 1204),
        BookEntry(DAY, "s", "clearing", "partner/beta", "JPY", 1000),
    ]
    rows = as_csv(entries, {"partner/*": "1400", "partner/beta": "1499", "clearing": "1200"}).decode().splitlines()
    assert rows == [
        "number,day,subject,debit,credit,currency,amount",
        "1,2026-03-31,s,1400,operator,EUR,12.04",
        "2,2026-03-31,s,1200,1499,JPY,1000",
        "END,2,12.04 EUR,1000 JPY",
    ]
