"""8: pain.002 twice, or after camt.053. No effect: rank decides."""

from __future__ import annotations

from tests.settlement.house import CLEARING, FUNDS, House

NETS = {"bakery": 845_900, "cinema": 267_400}


ANSWERS = "SELECT count(*) FROM settlement.evidence WHERE rank = 3"


def test_an_answer_that_comes_twice_counts_once(house: House) -> None:
    """The same file, and the same words in another one."""
    house.opens(*NETS)
    house.pays(7, NETS)
    (answer,) = house.bank.said(CLEARING, "pain.002")
    for again in (answer, answer, answer + b" "):
        house.read("answer", again)
        assert set(house.states().values()) == {"ACCEPTED"}
    (moves,) = house.cashier.rows("SELECT count(*) FROM settlement.transitions WHERE state = 'ACCEPTED'")
    assert moves == (len(NETS),)
    assert (house.breaks(), house.refused) == ([], [])


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
    for again in (answers[0], answers[0], answers[0] + b" "):
        house.read("answer", again)
        assert set(house.states().values()) == {"BOOKED"}
    assert house.cashier.rows(ANSWERS) != [(0,)], "it is kept, and rank decides"
    assert (house.breaks(), house.refused) == ([], [])
    assert house.bank.balance(CLEARING) == FUNDS - sum(NETS.values())
