"""12: booked, returned after three days. RETURNED, the net is open again, the batch is PARTIALLY_SETTLED."""

from __future__ import annotations

import pytest

from services.settlement.store import funding
from tests.settlement.bank import Bank
from tests.settlement.clerk import Clerk
from tests.settlement.house import CLEARING, FUNDS, House

NETS = {"bakery": 845_900, "cinema": 267_400}


def test_a_payment_that_comes_back_after_three_days_is_returned_and_the_other_becomes_final(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns(CLEARING, "return-later", days=3, end_to_end_id="B7-bakery-1")
    house.pays(7, NETS)
    house.hear()
    house.advance(1)
    assert set(house.states().values()) == {"BOOKED"}
    house.advance(4)
    assert house.states() == {"B7-bakery-1": "RETURNED", "B7-cinema-1": "FINAL"}
    assert house.breaks() == []
    assert house.bank.balance(CLEARING) == FUNDS - NETS["cinema"]


@pytest.mark.parametrize("way", ["http", "folder"])
def test_its_batch_is_settled_in_part_and_its_net_is_open_again_until_it_is_paid(
    clerk: Clerk, bank: Bank, way: str
) -> None:
    house = House(clerk, bank, way)
    house.opens(*NETS)
    bank.turns(CLEARING, "return-later", days=3, end_to_end_id="B1-bakery-1")
    number = clerk.window([("operator", partner, minor) for partner, minor in NETS.items()])
    batch = clerk.release_batch(clerk.ready_batch(number))
    house.send()
    house.hear()
    assert clerk.batch(batch.name).state == "IN_PAYMENT"
    house.advance(5)
    assert clerk.states(1) == {"B1-bakery-1": "RETURNED", "B1-cinema-1": "FINAL"}
    assert (clerk.batch(batch.name).state, clerk.window_state(number)) == ("PARTIALLY_SETTLED", "CLOSED")
    assert clerk.do(funding.free)["EUR"] == FUNDS - sum(NETS.values()), "what came back is still the bakery's"

    bank.turns(CLEARING, "accept")
    clerk.carry("batches/1/instructions/B1-bakery-1")
    assert (clerk.batch(batch.name).state, clerk.window_state(number)) == ("SETTLED", "SETTLED")
    assert clerk.open()["bakery", "EUR"] == NETS["bakery"]
    clerk.release_batch(clerk.ready_batch(clerk.window()))
    house.send()
    house.advance(8)
    assert clerk.states(2) == {"B2-bakery-1": "FINAL"}
    assert ("bakery", "EUR") not in clerk.open()
    assert bank.balance(CLEARING) == FUNDS - sum(NETS.values())
    assert house.breaks() == []
