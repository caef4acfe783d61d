"""25: a bank account is changed an hour before the release. It cools off; the frozen instruction keeps its own."""

from __future__ import annotations

import pytest

from services.settlement.domain.account import Channel
from services.settlement.domain.proposal import OwnProposal
from services.settlement.domain.refusals import OwnBankAccount, TransitionRefused
from services.settlement.store import accounts
from tests.settlement.accounts import account_of
from tests.settlement.cashier import ANNA, BEN, COOLING, Cashier

NEW = account_of("bakery", 500)


def test_a_frozen_payment_keeps_its_account_and_the_change_is_flagged(cashier: Cashier) -> None:
    cashier.ready("bakery")
    before = account_of("bakery", 100)
    cashier.prefund(10**9)
    (file,) = cashier.approved(7, {"bakery": 500})
    cashier.clock.pass_(hours=1)
    cashier.has(NEW)
    at = cashier.clock.now()
    assert cashier.do(lambda connection: accounts.cooling_off(connection, ["bakery"], at)) == [("bakery", "EUR")]
    cashier.release(7)
    cashier.step()
    ((_, content),) = cashier.noting.taken
    assert before.iban.encode() in content
    assert NEW.iban.encode() not in content
    assert cashier.instructions(7)["B7-bakery-1"].account == before.iban
    assert cashier.content(file.msg_id) == content


def test_money_follows_a_changed_account_only_when_it_has_cooled_off(cashier: Cashier) -> None:
    cashier.ready("bakery")
    cashier.has(NEW)
    cashier.built(7, {"bakery": 500})
    cashier.clock.at += COOLING
    cashier.built(8, {"bakery": 500})
    assert cashier.instructions(7)["B7-bakery-1"].account == account_of("bakery", 100).iban
    assert cashier.instructions(8)["B8-bakery-1"].account == NEW.iban


def test_one_person_alone_changes_no_account(cashier: Cashier) -> None:
    cashier.ready("bakery")
    at = cashier.clock.now()
    entered = cashier.do(lambda connection: accounts.enter(connection, NEW, ANNA, at))

    def verify(by: str) -> None:
        cashier.do(lambda connection: accounts.verify(connection, entered.name, Channel.PHONE, "x", COOLING, by, at))

    with pytest.raises(TransitionRefused):
        verify(BEN)  # nobody has approved it
    with pytest.raises(OwnProposal):
        cashier.approve(entered.proposal, ANNA)
    cashier.approve(entered.proposal, BEN)
    with pytest.raises(OwnBankAccount):
        verify(ANNA)
    verify(BEN)
    cashier.clock.at += COOLING
    cashier.built(7, {"bakery": 500})
    assert cashier.instructions(7)["B7-bakery-1"].account == NEW.iban


def test_the_first_account_of_a_partner_need_not_cool_off(cashier: Cashier) -> None:
    assert cashier.has(NEW).usable_from == cashier.clock.now()
