"""11: one payment rejected, AC04. Superseded to a newly verified account; the others are unaffected."""

from __future__ import annotations

import pytest

from services.settlement.domain.proposal import OwnProposal
from services.settlement.domain.refusals import AccountNotVerifiedAnew, OwnPaymentFile
from services.settlement.store import repairs
from tests.settlement.accounts import account_of
from tests.settlement.cashier import ANNA, BEN
from tests.settlement.house import CLEARING, FUNDS, House

NETS = {"bakery": 845_900, "cinema": 267_400}
BAKERY = "batches/7/instructions/B7-bakery-1"


def test_a_closed_account_is_refused_and_paid_again_to_one_that_was_verified_since(house: House) -> None:
    house.opens(*NETS)
    house.bank.turns("BAKERY", "closed-account")
    house.pays(7, NETS)
    house.hear()
    assert house.states() == {"B7-bakery-1": "REJECTED", "B7-cinema-1": "BOOKED"}
    cashier, at = house.cashier, house.cashier.clock.now()
    with pytest.raises(AccountNotVerifiedAnew):
        cashier.do(lambda connection: repairs.propose_another(connection, BAKERY, "closed", ANNA, at))
    cashier.clock.pass_(hours=1)
    anew = account_of("bakery", 500)
    house.bank.holds("BAKERY2", anew.iban)
    cashier.has(anew)
    house.advance(3)  # it takes the place of another, so it cools off first
    at = cashier.clock.now()
    proposal = cashier.do(lambda connection: repairs.propose_another(connection, BAKERY, "closed", ANNA, at))
    with pytest.raises(OwnProposal):
        cashier.approve(proposal.name, ANNA)
    cashier.approve(proposal.name, BEN)
    assert house.states() == {"B7-bakery-1": "SUPERSEDED", "B7-bakery-2": "FROZEN", "B7-cinema-1": "BOOKED"}
    with pytest.raises(OwnPaymentFile):
        house.approve_file("B7-R1-F2", ANNA)
    house.approve_file("B7-R1-F2")
    house.send()
    house.hear()
    assert house.states() == {"B7-bakery-1": "SUPERSEDED", "B7-bakery-2": "BOOKED", "B7-cinema-1": "BOOKED"}
    assert [house.bank.booked(name) for name in ("B7-bakery-1", "B7-bakery-2", "B7-cinema-1")] == [0, 1, 1]
    assert house.bank.balance(CLEARING) == FUNDS - sum(NETS.values())
    assert house.breaks() == []
