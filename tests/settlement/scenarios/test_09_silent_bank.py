"""9: camt.054 before pain.002; a silent bank that booked. BOOKED from evidence, UNKNOWN until then, no second send."""

from __future__ import annotations

from tests.settlement.house import CLEARING, House

NETS = {"bakery": 845_900, "cinema": 267_400}


def test_an_announcement_before_the_answer_books_and_the_answer_changes_nothing(house: House) -> None:
    house.opens(*NETS)
    house.pays(7, NETS)
    announced, answered = house.bank.said(CLEARING, "camt.054"), house.bank.said(CLEARING, "pain.002")
    for content in announced:
        house.read("announced", content)
    assert set(house.states().values()) == {"BOOKED"}
    for content in answered:
        house.read("answered", content)
    assert set(house.states().values()) == {"BOOKED"}
    assert house.breaks() == []


def test_a_silent_bank_that_booked_leaves_the_fate_unknown_until_its_statement(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "silent")
    house.pays(7, NETS)
    house.hear(without="camt")
    house.cashier.clock.pass_(days=1)
    house.send()
    assert set(house.states().values()) == {"UNKNOWN"}
    house.cashier.clock.pass_(days=30)
    house.send()
    assert set(house.states().values()) == {"UNKNOWN"}, "no timer ends it"
    assert [house.bank.booked(name) for name in ("B7-bakery-1", "B7-cinema-1")] == [1, 1], "and nothing went again"
    for message in house.bank.said(CLEARING, "camt.054"):
        house.read("late", message)
    assert set(house.states().values()) == {"BOOKED"}
