"""From closed windows to settled ones, with a bank between: nothing is played but the clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settlement.accounts import account_of, clearing
from tests.settlement.bank import Bank
from tests.settlement.cashier import RETURN_DAYS
from tests.settlement.clerk import Clerk
from tests.settlement.house import CLEARING, House
from tests.support.databases import Databases

OWED = [("carol", "alice", 8_459), ("carol", "boris", 2_674)]
NAMES = ("alice", "boris", "carol")


@pytest.fixture(params=["http", "folder"])
def house(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path, bank: Bank) -> Iterator[House]:
    """Here the cashier is a clerk, who makes real batches."""
    clerk = Clerk(databases, tmp_path)
    yield House(clerk, bank, str(request.param))
    clerk.leave()


def opened(house: House) -> Clerk:
    """Accounts on both sides; the clearing account is empty."""
    clerk = house.cashier
    assert isinstance(clerk, Clerk)
    house.bank.holds(CLEARING, clearing().iban)
    for number, partner in enumerate(NAMES, start=100):
        house.bank.holds(partner.upper(), account_of(partner, number).iban)
    clerk.ready(*NAMES)
    return clerk


def paid_in(house: House, clerk: Clerk, number: int) -> None:
    """Carol pays what she is asked for; a minute later the others' file goes."""
    (asked,) = (one for one in clerk.instructions(number).values() if one.reference)
    house.bank.credit(CLEARING, asked.amount_minor, reference=asked.reference)
    house.hear()
    clerk.clock.pass_(minutes=1)
    house.send()


def test_a_batch_is_settled_by_what_the_bank_says_and_its_window_with_it(house: House) -> None:
    clerk = opened(house)
    window = clerk.window(OWED)
    batch = clerk.release_batch(clerk.ready_batch(window))
    house.send()
    assert clerk.batch(batch.name).state == "RELEASING", "the pay file waits for the collection"
    paid_in(house, clerk, batch.number)
    assert clerk.batch(batch.name).state == "IN_PAYMENT"
    house.hear()
    house.advance(1 + RETURN_DAYS)
    assert set(house.states(batch.number).values()) == {"FINAL"}
    assert clerk.batch(batch.name).state == "SETTLED"
    assert clerk.window_state(window) == "SETTLED"
    assert house.bank.balance(CLEARING) == 0
    assert house.breaks() == []


def test_one_refused_payment_keeps_the_batch_open_until_it_is_carried(house: House) -> None:
    clerk = opened(house)
    house.bank.turns("BORIS", "closed-account")
    batch = clerk.release_batch(clerk.ready_batch(clerk.window(OWED)))
    house.send()
    paid_in(house, clerk, batch.number)
    house.hear()
    assert clerk.batch(batch.name).state == "PARTIALLY_SETTLED"
    failed = f"batches/{batch.number}/instructions/B{batch.number}-boris-1"
    clerk.carry(failed)
    assert clerk.open()["boris", "EUR"] == 2_674
    house.advance(1 + RETURN_DAYS)
    assert clerk.batch(batch.name).state == "SETTLED"
    assert house.bank.balance(CLEARING) == 2_674
