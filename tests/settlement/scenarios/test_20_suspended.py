"""20: a partner is suspended in mid-window."""

from __future__ import annotations

import pytest

from services.settlement.domain.batch.refusals import OwnSuspension, PartnerNotSuspended
from services.settlement.store import caps
from tests.settlement.clerk import ANNA, BEN, Clerk


def test_the_window_closes_the_net_is_held_and_nobody_else_is_unwound(clerk: Clerk) -> None:
    clerk.ready("a", "b", "c")
    clerk.do(lambda connection: caps.suspend(connection, "b", "under inquiry", ANNA, clerk.clock.now()))
    number = clerk.window([("a", "b", 1_000), ("a", "c", 700)])
    batch = clerk.settle(number)
    assert (batch.state, clerk.window_state(number)) == ("SETTLED", "SETTLED")
    assert {one.partner: one.amount_minor for one in clerk.instructions(1).values()} == {"a": 1_700, "c": 700}
    assert clerk.open() == {("b", "EUR"): 1_000}


def test_what_was_held_is_paid_by_the_first_batch_after_another_person_resumed_it(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.do(lambda connection: caps.suspend(connection, "b", "under inquiry", ANNA, clerk.clock.now()))
    clerk.settle(clerk.window([("a", "b", 1_000)]))
    with pytest.raises(OwnSuspension):
        clerk.do(lambda connection: caps.resume(connection, "b", "cleared", ANNA, clerk.clock.now()))
    clerk.do(lambda connection: caps.resume(connection, "b", "cleared", BEN, clerk.clock.now()))
    with pytest.raises(PartnerNotSuspended):
        clerk.do(lambda connection: caps.resume(connection, "b", "cleared", BEN, clerk.clock.now()))
    clerk.settle(clerk.window())
    assert {one.partner: one.amount_minor for one in clerk.instructions(2).values()} == {"b": 1_000}
    assert clerk.open() == {}


def test_a_debtor_that_is_held_leaves_the_others_short_and_that_is_said(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.do(lambda connection: caps.suspend(connection, "a", "under inquiry", ANNA, clerk.clock.now()))
    batch = clerk.calculate(clerk.create(clerk.window([("a", "b", 1_000)])))
    assert [(one.name, one.detail) for one in clerk.blocked(batch)] == [("FUNDING_SHORT", "10 EUR is missing")]
    clerk.prefund(1_000)
    assert clerk.blocked(batch) == []
