"""Collections: a partner pays in under its reference, or is collected from under its mandate; then others are paid."""

from __future__ import annotations

import pytest

from tests.settlement.accounts import account_of, clearing
from tests.settlement.house import CLEARING, House

NETS = {"bakery": 845_900, "cinema": -845_900}


def opened(house: House, *, mandate: bool, currency: str = "EUR") -> None:
    """A clearing account without money."""
    house.bank.holds(CLEARING, clearing(currency).iban, currency=currency)
    house.cashier.ready(*NETS, currency=currency, mandates=["cinema"] if mandate else [])
    house.cashier.approved(7, NETS, currency)
    house.cashier.release(7)
    house.send()


def wait_for_funds(house: House) -> None:
    """The pay file is looked at again every minute."""
    house.cashier.clock.pass_(minutes=1)
    house.send()
    house.hear()


def test_what_is_paid_in_under_its_reference_pays_the_others(house: House) -> None:
    opened(house, mandate=False)
    assert house.states() == {"B7-bakery-1": "FROZEN", "B7-cinema-1": "SENT"}
    wanted = house.cashier.instructions(7)["B7-cinema-1"]
    payer = {"name": "Cinema", "iban": account_of("cinema", 101).iban}
    house.bank.credit(CLEARING, wanted.amount_minor, reference=wanted.reference, debtor=payer)
    house.hear()
    assert house.states() == {"B7-bakery-1": "FROZEN", "B7-cinema-1": "BOOKED"}
    wait_for_funds(house)
    assert house.states() == {"B7-bakery-1": "BOOKED", "B7-cinema-1": "BOOKED"}
    assert house.bank.balance(CLEARING) == 0
    assert house.breaks() == []


def test_less_than_was_asked_for_pays_nobody(house: House) -> None:
    opened(house, mandate=False)
    wanted = house.cashier.instructions(7)["B7-cinema-1"]
    house.bank.credit(CLEARING, wanted.amount_minor - 1, reference=wanted.reference)
    house.hear()
    wait_for_funds(house)
    assert house.states() == {"B7-bakery-1": "FROZEN", "B7-cinema-1": "SENT"}
    assert house.bank.booked("B7-bakery-1") == 0


def test_a_direct_debit_is_collected_before_the_others_are_paid(house: House) -> None:
    opened(house, mandate=True)
    assert house.states() == {"B7-bakery-1": "FROZEN", "B7-cinema-1": "SENT"}
    house.hear()
    for _ in range(4):
        house.advance(1)
    assert house.states() == {"B7-bakery-1": "BOOKED", "B7-cinema-1": "BOOKED"}
    assert house.bank.balance(CLEARING) == 0
    assert house.bank.booked("B7-bakery-1") == 1


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 1_000), ("KWD", 1_234_567), ("EUR", 845_900)])
def test_a_bank_moves_exactly_what_we_meant_in_every_currency(house: House, currency: str, minor: int) -> None:
    house.opens("bakery", currency=currency)
    before = house.bank.balance(CLEARING)
    house.pays(7, {"bakery": minor}, currency)
    house.hear()
    assert house.states() == {"B7-bakery-1": "BOOKED"}
    assert before - house.bank.balance(CLEARING) == minor
