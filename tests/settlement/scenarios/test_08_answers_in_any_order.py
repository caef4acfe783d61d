"""8: pain.002 twice, or after camt.053. No effect: rank decides."""

from __future__ import annotations

from tests.settlement.house import CLEARING, House

NETS = {"bakery": 845_900, "cinema": 267_400}


def test_an_answer_that_comes_after_the_statement_and_then_again_changes_nothing(house: House) -> None:
    house.opens(*NETS)
    house.pays(7, NETS)
    house.bank.advance(2)
    house.cashier.clock.pass_(days=2)
    statements, answers = house.bank.said(CLEARING, "camt.053"), house.bank.said(CLEARING, "pain.002")
    assert len(answers) == 1
    for content in statements:
        house.read("statement", content)
    assert set(house.states().values()) == {"BOOKED"}
    for _ in range(2):
        house.read("answer", answers[0])
    assert set(house.states().values()) == {"BOOKED"}
    assert (house.breaks(), house.refused) == ([], [])
