"""21: a net over the cap."""

from __future__ import annotations

from typing import Any

import pytest

from services.settlement.domain.batch.refusals import BatchBlocked, ConditionStands
from services.settlement.domain.proposal import Kind, OwnProposal
from services.settlement.store import allowances, proposals
from services.settlement.store.batches import overriding, rows
from services.settlement.store.batches.rows import Batch
from tests.settlement.clerk import ANNA, BEN, Clerk


def capped(clerk: Clerk, partner: str, minor: int) -> None:
    content: Any = {"currency": "EUR", "cap_minor": minor, "alert_minor": 0, "outstanding_weight": "0"}
    at = clerk.clock.now()
    proposed = clerk.do(
        lambda connection: proposals.propose(connection, Kind.CAP, f"partners/{partner}", content, ANNA, at)
    )
    clerk.approve(proposed.name)


def override(clerk: Clerk, batch: Batch, *conditions: str, by: str = ANNA) -> str:
    return clerk.do(
        lambda connection: overriding.propose(
            connection, rows.locked(connection, batch.name), conditions, "agreed by phone", by, clerk.clock.now()
        )
    ).name


def test_a_net_over_the_cap_blocks_the_batch_until_two_people_override_it(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.agrees("a")
    capped(clerk, "a", 8_000)
    batch = clerk.calculate(clerk.create(clerk.window([("a", "b", 8_001)])))
    (breach,) = clerk.blocked(batch)
    assert (breach.name, breach.detail) == ("CAP_BREACH", "a owes 80.01 EUR, its cap is 80 EUR")
    with pytest.raises(BatchBlocked, match="CAP_BREACH"):
        clerk.submit(batch)
    with pytest.raises(ConditionStands):
        override(clerk, batch, "FUNDING_SHORT")
    proposal = override(clerk, batch, "CAP_BREACH")
    with pytest.raises(OwnProposal):
        clerk.approve(proposal, ANNA)
    clerk.approve(proposal, BEN)
    assert [one.overridden for one in clerk.blocked(batch)] == [True]
    assert clerk.submit(batch).state == "PENDING_APPROVAL"


def test_an_override_is_for_one_content(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.agrees("a")
    capped(clerk, "a", 8_000)
    batch = clerk.calculate(clerk.create(clerk.window([("a", "b", 8_001)])))
    clerk.approve(override(clerk, batch, "CAP_BREACH"))
    batch = clerk.calculate(clerk.revise(batch))
    with pytest.raises(BatchBlocked, match="CAP_BREACH"):
        clerk.submit(batch)


def test_at_the_cap_is_not_over_it(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.agrees("a")
    capped(clerk, "a", 8_000)
    batch = clerk.calculate(clerk.create(clerk.window([("a", "b", 8_000)])))
    assert clerk.blocked(batch) == []


def test_who_is_over_its_cap_has_no_allowance_left_until_it_has_paid(clerk: Clerk) -> None:
    clerk.ready("a", "b")
    clerk.agrees("a")
    capped(clerk, "a", 8_000)
    number = clerk.window([("a", "b", 8_001)])
    assert clerk.do(lambda connection: allowances.limits(connection, clerk.clock.now())) == {"a": 0}
    batch = clerk.calculate(clerk.create(number))
    clerk.approve(override(clerk, batch, "CAP_BREACH"))
    clerk.pay(clerk.release_batch(clerk.approved_batch(clerk.submit(batch))))
    (left,) = clerk.do(lambda connection: allowances.limits(connection, clerk.clock.now())).values()
    assert left > 0
