"""The finalisation checks that batches and caps answer; those of the bank are in `reconciling`."""

from __future__ import annotations

from typing import Any

from services.settlement.domain.proposal import Kind
from services.settlement.domain.terms import Cover
from services.settlement.store import allowances, proposals
from services.settlement.store.batches import defaulting, rows
from tests.settlement.clerk import ANNA, Clerk, terms


def test_f07_collateral_that_is_used_up_blocks_the_next_batch_and_takes_the_allowance(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.agrees("a", terms(collateral_minor=3_000, default_order=(Cover.COLLATERAL, Cover.OPERATOR)))
    content: Any = {"currency": "EUR", "cap_minor": 10**9, "alert_minor": 0, "outstanding_weight": "0"}
    at = clerk.clock.now()
    cap = clerk.do(lambda connection: proposals.propose(connection, Kind.CAP, "partners/a", content, ANNA, at))
    clerk.approve(cap.name)
    assert clerk.do(lambda connection: allowances.limits(connection, at))["a"] > 0
    batch = clerk.release_batch(clerk.ready_batch(clerk.window([("a", "b", 5_000)])))
    declared = clerk.do(
        lambda connection: defaulting.propose(
            connection, rows.locked(connection, batch.name), "a", {}, "late", ANNA, clerk.clock.now()
        )
    )
    clerk.approve(declared.name)
    assert clerk.do(lambda connection: allowances.limits(connection, at)) == {"a": 0}
    following = clerk.calculate(clerk.create(clerk.window([("a", "b", 100)])))
    found = {one.name: one.detail for one in clerk.blocked(following)}
    assert found["CAP_BREACH"] == "the collateral of a is used up"


def test_f21_batch_and_windows_change_together_or_not_at_all_and_payments_stay_final(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    number = clerk.window([("a", "b", 317)])
    batch = clerk.release_batch(clerk.ready_batch(number))
    with clerk.tampering() as connection:
        connection.execute("UPDATE settlement.windows SET state = 'CLOSING' WHERE number = 1")
    assert clerk.pay(batch).state == "IN_PAYMENT"
    assert clerk.states(1)["B1-b-1"] == "FINAL"
    with clerk.tampering() as connection:
        connection.execute("UPDATE settlement.windows SET state = 'CLOSED' WHERE number = 1")
        connection.execute("UPDATE settlement.steps SET retry_at = 'epoch' WHERE kind = 'final'")
    clerk.step()
    assert (clerk.batch(batch.name).state, clerk.window_state(number)) == ("SETTLED", "SETTLED")
