"""13: a statement lacks a line, breaks the chain, comes out of order; or twice. Refused, with a break; no-op."""

from __future__ import annotations

from tests.settlement.house import CLEARING, House

NETS = {"bakery": 845_900, "cinema": 267_400}


def test_a_statement_that_lacks_a_line_is_refused_whole(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "statement-gap")
    house.pays(7, NETS)
    house.hear(without="camt")
    house.bank.advance(1)
    house.cashier.clock.pass_(days=1)
    for content in house.bank.said(CLEARING, "camt.053"):
        house.read("statement", content)
    assert "BALANCE_BROKEN" in [refusal.reason for refusal in house.refused]
    assert set(house.states().values()) == {"ACCEPTED"}
    assert house.cashier.rows("SELECT count(*) FROM settlement.bank_lines WHERE stated") == [(0,)]
    for _ in range(3):
        house.cashier.clock.pass_(days=1)
        house.cashier.step()
    assert set(house.breaks()) == {"NOT_BOOKED"}, "and what no statement shows is told of"


def test_statements_out_of_order_wait_for_the_missing_one_and_count_once(house: House) -> None:
    house.opens(*NETS)
    house.pays(7, NETS)
    house.bank.advance(3)
    house.cashier.clock.pass_(days=3)
    first, *later = house.bank.said(CLEARING, "camt.053")
    house.read("first", first)
    for content in reversed(later):
        house.read("out of order", content)
    assert {refusal.reason for refusal in house.refused} == {"STATEMENT_GAP"}
    for content in [first, *later, *later]:
        house.read("in order, and again", content)
    assert set(house.states().values()) == {"BOOKED"}
    assert house.cashier.rows("SELECT count(*) FROM settlement.bank_statements") == [(len(later) + 1,)]
