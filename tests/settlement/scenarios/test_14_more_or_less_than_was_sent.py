"""14: the bank pays twice; an unknown credit; one that is short by a charge. A break; never netted away."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.settlement.store import funding
from tests.settlement.bank import bank_in
from tests.settlement.cashier import Cashier
from tests.settlement.house import CLEARING, FUNDS, House, transport

NETS = {"bakery": 845_900}


def stated(house: House) -> None:
    """A day later its statements are read."""
    house.bank.advance(1)
    house.cashier.clock.pass_(days=1)
    for content in house.bank.said(CLEARING, "camt.053"):
        house.read("statement", content)


def free(house: House) -> int:
    """What may be paid out, in minor units."""
    return house.cashier.do(funding.free)["EUR"]


def test_money_from_somebody_is_a_break_and_pays_for_nothing(house: House) -> None:
    house.opens(*NETS)
    before = free(house)
    house.bank.credit(CLEARING, 4_200, note="no idea what this is", debtor={"name": "Somebody"})
    stated(house)
    assert house.breaks() == ["UNEXPECTED_LINE"]
    assert house.bank.balance(CLEARING) == FUNDS + 4_200
    assert free(house) == before


@pytest.mark.parametrize("way", ["http", "folder"])
def test_a_bank_that_pays_a_file_twice_is_told_of_and_the_second_booking_pays_for_nothing(
    cashier: Cashier, tmp_path: Path, way: str
) -> None:
    """It said that it knows its MsgIds, and does not."""
    with bank_in(tmp_path / "bank", "--allow-duplicates") as bank:
        house = House(cashier, bank, way)
        house.opens(*NETS)
        msg_id = house.pays(7, NETS)
        transport(bank, way).send(msg_id, cashier.content(msg_id))
        if way == "folder":
            bank.scan()
        assert bank.booked("B7-bakery-1") == 2
        stated(house)
        assert house.breaks() == ["DOUBLE_BOOKED"]
        assert house.states() == {"B7-bakery-1": "BOOKED"}
        assert bank.balance(CLEARING) == FUNDS - 2 * NETS["bakery"]
        assert free(house) == FUNDS - NETS["bakery"], "what it paid by mistake is a claim on the bank, not a payment"


def test_a_collection_that_is_short_by_a_charge_is_a_break_and_books_nothing(house: House) -> None:
    house.opens("diner")
    house.cashier.approved(8, {"diner": -11_133})
    house.cashier.release(8)
    before = free(house)
    (asked,) = house.cashier.instructions(8).values()
    house.bank.credit(CLEARING, asked.amount_minor - 15, reference=asked.reference)
    stated(house)
    assert house.breaks() == ["SHORT_PAYMENT"]
    assert [one.state for one in house.cashier.instructions(8).values()] == ["SENT"]
    assert free(house) == before, "no pay file is covered by it"
