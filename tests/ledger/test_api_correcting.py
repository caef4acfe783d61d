"""Adjustments: one person proposes, another decides, and it is posted once."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub

from services.sandbox.clients import channel
from tests.ledger.till import SECONDS, Till, fresh_id, points
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused


@pytest.fixture(scope="module")
def ben(platform: RunningPlatform) -> Iterator[LedgerServiceStub]:
    """A second user of the operator."""
    leaf = platform.sandbox.authority.operator("ben")
    with channel(platform.sandbox.targets["ledger"], leaf) as connection:
        yield LedgerServiceStub(connection)


def proposal(till: Till, wallet_grant: str, amount: int, **more: object) -> pb.ProposeAdjustmentRequest:
    return pb.ProposeAdjustmentRequest(
        request_id=fresh_id(),
        grant=wallet_grant,
        issuer=till.partner.id,
        points=amount,
        reason="MISSING_AWARD",
        **more,  # type: ignore[arg-type]  # fields of the message
    )


def test_an_adjustment_is_posted_once_a_second_person_approves(till: Till, ben: LedgerServiceStub) -> None:
    wallet = uuid4()
    request = proposal(till, till.grant(wallet, partner="operator"), 25)
    proposed = till.platform.operator.ledger.ProposeAdjustment(request, timeout=SECONDS)
    assert proposed.state == pb.ADJUSTMENT_STATE_PROPOSED
    assert till.balance(till.grant(wallet)) == points()
    approve = pb.DecideAdjustmentRequest(name=proposed.name, approve=True)
    refusal = Refused.of(lambda: till.platform.operator.ledger.DecideAdjustment(approve, timeout=SECONDS))
    assert refusal.reason == "ADJUSTMENT_NEEDS_SECOND_PERSON"
    approved = ben.DecideAdjustment(approve, timeout=SECONDS)
    assert (approved.state, approved.decided_by) == (pb.ADJUSTMENT_STATE_APPROVED, "operator/ben")
    assert (approved.entry.kind, approved.entry.reason) == (pb.ENTRY_KIND_ADJUSTMENT, "MISSING_AWARD")
    assert ben.DecideAdjustment(approve, timeout=SECONDS) == approved
    assert till.balance(till.grant(wallet)) == points(available=25)
    assert till.platform.operator.ledger.ProposeAdjustment(request, timeout=SECONDS).name == proposed.name


def test_a_rejected_adjustment_posts_nothing_and_stays_rejected(till: Till, ben: LedgerServiceStub) -> None:
    wallet = uuid4()
    request = proposal(till, till.grant(wallet, partner="operator"), 25)
    proposed = till.platform.operator.ledger.ProposeAdjustment(request, timeout=SECONDS)
    rejected = ben.DecideAdjustment(pb.DecideAdjustmentRequest(name=proposed.name), timeout=SECONDS)
    assert rejected.state == pb.ADJUSTMENT_STATE_REJECTED
    approve = pb.DecideAdjustmentRequest(name=proposed.name, approve=True)
    assert Refused.of(lambda: ben.DecideAdjustment(approve, timeout=SECONDS)).reason == "ADJUSTMENT_DECIDED"
    assert till.balance(till.grant(wallet)) == points()


def test_taking_more_than_is_there_is_refused_and_can_be_decided_again(till: Till, ben: LedgerServiceStub) -> None:
    wallet = uuid4()
    till.award(till.grant(wallet), 10)
    request = proposal(till, till.grant(wallet, partner="operator"), 25, taking=True)
    proposed = till.platform.operator.ledger.ProposeAdjustment(request, timeout=SECONDS)
    approve = pb.DecideAdjustmentRequest(name=proposed.name, approve=True)
    assert Refused.of(lambda: ben.DecideAdjustment(approve, timeout=SECONDS)).reason == "INSUFFICIENT_POINTS"
    till.award(till.grant(wallet), 15)
    assert ben.DecideAdjustment(approve, timeout=SECONDS).entry.balance == points()


def test_nobody_proposes_more_than_the_programme_allows(till: Till) -> None:
    request = proposal(till, till.grant(partner="operator"), 100_001)
    refusal = Refused.of(lambda: till.platform.operator.ledger.ProposeAdjustment(request, timeout=SECONDS))
    assert (refusal.reason, refusal.metadata["limit"]) == ("ADJUSTMENT_ABOVE_LIMIT", "100000")


def test_a_proposal_can_be_tried_without_being_made(till: Till) -> None:
    wallet = uuid4()
    request = proposal(till, till.grant(wallet, partner="operator"), 25, validate_only=True)
    tried = till.platform.operator.ledger.ProposeAdjustment(request, timeout=SECONDS)
    assert (tried.name, tried.entry.name, tried.entry.balance) == ("", "", points(available=25))
    assert till.balance(till.grant(wallet)) == points()


def test_proposals_are_listed_by_where_they_stand(till: Till, ben: LedgerServiceStub) -> None:
    operator = till.platform.operator.ledger
    made = {
        operator.ProposeAdjustment(proposal(till, till.grant(partner="operator"), 5), timeout=SECONDS).name
        for _ in range(3)
    }
    found, token = set(), ""
    while True:
        request = pb.ListAdjustmentsRequest(state=pb.ADJUSTMENT_STATE_PROPOSED, page_size=2, page_token=token)
        page = operator.ListAdjustments(request, timeout=SECONDS)
        found |= {one.name for one in page.adjustments}
        token = page.next_page_token
        if not token:
            break
    assert made <= found
