"""14: the bank pays twice; an unknown credit; one that is short by a charge. A break; never netted away."""

from __future__ import annotations

from pathlib import Path

from tests.settlement.house import CLEARING, House
from tests.settlement.reconciling.counter import Counter
from tests.settlement.reconciling.papers import Said
from tests.support.databases import Databases

NETS = {"bakery": 845_900}


def test_money_from_somebody_is_a_break_and_pays_for_nothing(house: House) -> None:
    house.opens(*NETS)
    house.bank.credit(CLEARING, 4_200, note="no idea what this is", debtor={"name": "Somebody"})
    house.bank.advance(1)
    house.cashier.clock.pass_(days=1)
    for content in house.bank.said(CLEARING, "camt.053"):
        house.read("statement", content)
    assert house.breaks() == ["UNEXPECTED_LINE"]


def test_a_second_booking_and_a_collection_short_by_a_charge_are_breaks(databases: Databases, tmp_path: Path) -> None:
    counter = Counter(databases, tmp_path)
    a, b = counter.pays
    c = counter.pay_in
    short = Said(c.amount_minor - 15, reference=c.reference)
    counter.states_of(counter.paid(a), counter.paid(a), counter.paid(b), short)
    assert sorted(counter.reasons()) == ["DOUBLE_BOOKED", "SHORT_PAYMENT"]
    assert [counter.state(partner) for partner in ("alpha", "beta", "gamma")] == ["BOOKED", "BOOKED", "SENT"]
    counter.leave()
