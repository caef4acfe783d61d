"""What settlement tells the ledger about partners: allowances, which no award exceeds by a point, and policies."""

from __future__ import annotations

from functools import partial

import grpc
import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub

from tests.ledger.till import SECONDS, Till, award, reverse
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused
from tests.support.together import at_once


@pytest.fixture
def operator(platform: RunningPlatform) -> LedgerServiceStub:
    return platform.operator.ledger


def allow(operator: LedgerServiceStub, till: Till, revision: int, limit: int) -> pb.AwardAllowance:
    request = pb.SetAwardAllowanceRequest(partner=till.partner.id, revision=revision, limit_points=limit)
    return operator.SetAwardAllowance(request, timeout=SECONDS)


def allowance(operator: LedgerServiceStub, till: Till) -> pb.AwardAllowance:
    return operator.GetAwardAllowance(pb.GetAwardAllowanceRequest(partner=till.partner.id), timeout=SECONDS)


def policy(till: Till, revision: int = 1, **terms: object) -> pb.SetPartnerPolicyRequest:
    stated = pb.PartnerPolicy(partner=till.partner.id, revision=revision, **terms)  # type: ignore[arg-type]  # its fields
    return pb.SetPartnerPolicyRequest(policy=stated)


def test_e14_of_an_allowance_of_166_points_the_last_can_be_awarded_and_none_beyond(
    till: Till, operator: LedgerServiceStub
) -> None:
    till.award(till.grant(), 6_500)
    assert allow(operator, till, 1, 6_500 + 166).remaining_points == 166
    refused = Refused.of(partial(till.award, till.grant(), 167))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PARTNER_NET_DEBIT_CAP_EXCEEDED")
    assert refused.metadata == {"issuer": till.partner.id, "allowancePoints": "166", "requested": "167"}
    till.award(till.grant(), 166)
    assert Refused.of(partial(till.award, till.grant(), 1)).metadata["allowancePoints"] == "0"
    assert allow(operator, till, 2, 6_666 + 750).remaining_points == 750
    till.award(till.grant(), 750)
    found = allowance(operator, till)
    assert (found.revision, found.limit_points, found.awarded_points, found.remaining_points) == (2, 7_416, 7_416, 0)


def test_a_refused_award_leaves_its_request_id_free(till: Till, operator: LedgerServiceStub) -> None:
    allow(operator, till, 1, 10)
    request = award(till.grant(), 11)
    Refused.of(lambda: till.ledger.AwardPoints(request, timeout=SECONDS))
    allow(operator, till, 2, 11)
    assert till.ledger.AwardPoints(request, timeout=SECONDS).points == 11


def test_a_reversal_gives_no_room_back_by_itself(till: Till, operator: LedgerServiceStub) -> None:
    """Settlement sees the reversal and raises the limit; the ledger counts what was awarded."""
    allow(operator, till, 1, 10)
    entry = till.award(till.grant(), 10)
    till.ledger.ReverseAward(reverse(entry), timeout=SECONDS)
    assert Refused.of(partial(till.award, till.grant(), 1)).reason == "PARTNER_NET_DEBIT_CAP_EXCEEDED"


def test_of_a_batch_each_item_is_decided_in_its_order(till: Till, operator: LedgerServiceStub) -> None:
    allow(operator, till, 1, 100)
    items = [award(till.grant(), points) for points in (60, 50, 40, 1)]
    answer = till.ledger.BatchAwardPoints(pb.BatchAwardPointsRequest(items=items), timeout=SECONDS)
    assert sum(result.entry.points for result in answer.results) <= 100
    assert sum(result.HasField("refusal") for result in answer.results) in (1, 2)
    assert allowance(operator, till).awarded_points == sum(result.entry.points for result in answer.results)


def test_twenty_awards_at_once_on_the_last_point_give_exactly_one(till: Till, operator: LedgerServiceStub) -> None:
    for revision in (1, 2, 3):
        allow(operator, till, revision, revision)

        assert sum(at_once([partial(_awarded, till, award(till.grant(), 1)) for _ in range(20)])) == 1
        assert allowance(operator, till).remaining_points == 0


def _awarded(till: Till, request: pb.AwardPointsRequest) -> bool:
    """Whether there was room for it. A busy machine may be too late to say so: whoever is told so asks again."""
    while True:
        try:
            return till.ledger.AwardPoints(request, timeout=SECONDS).points == 1
        except grpc.RpcError as error:
            refused = Refused(error)
            if refused.reason == "PARTNER_NET_DEBIT_CAP_EXCEEDED":
                return False
            assert refused.code in {grpc.StatusCode.ABORTED, grpc.StatusCode.DEADLINE_EXCEEDED}, refused.text


def test_a_validated_award_is_told_the_truth_and_spends_nothing(till: Till, operator: LedgerServiceStub) -> None:
    allow(operator, till, 1, 10)
    assert till.award(till.grant(), 10, validate_only=True).points == 10
    refused = Refused.of(partial(till.award, till.grant(), 11, validate_only=True))
    assert refused.reason == "PARTNER_NET_DEBIT_CAP_EXCEEDED"
    assert allowance(operator, till).remaining_points == 10


def test_an_allowance_changes_by_revisions_only(till: Till, operator: LedgerServiceStub) -> None:
    allow(operator, till, 3, 100)
    again = pb.SetAwardAllowanceRequest(partner=till.partner.id, revision=3, limit_points=100)
    _, call = operator.SetAwardAllowance.with_call(again, timeout=SECONDS)
    assert ("idempotent-replay", "true") in set(call.trailing_metadata() or ())
    for revision, limit in ((3, 101), (2, 100)):
        refused = Refused.of(partial(allow, operator, till, revision, limit))
        assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ALLOWANCE_CHANGED")


def test_who_has_no_allowance_awards_without_a_limit(till: Till, operator: LedgerServiceStub) -> None:
    assert Refused.of(partial(allowance, operator, till)).reason == "ALLOWANCE_NOT_FOUND"
    assert till.award(till.grant(), 10**9).points == 10**9


def test_a_policy_is_kept_as_it_was_set_and_empty_means_its_default(till: Till, operator: LedgerServiceStub) -> None:
    plain = operator.SetPartnerPolicy(policy(till), timeout=SECONDS)
    assert plain == pb.PartnerPolicy(
        partner=till.partner.id,
        revision=1,
        negative_balance=pb.NEGATIVE_BALANCE_WRITE_OFF,
        redemption_step=1,
        redemption_share_bp=10_000,
    )
    rich = policy(
        till,
        revision=2,
        pending_days=14,
        negative_balance=pb.NEGATIVE_BALANCE_ALLOW_NEGATIVE,
        redemption_step=200,
        redemption_minimum=400,
        redemption_share_bp=0,
    )
    assert operator.SetPartnerPolicy(rich, timeout=SECONDS) == rich.policy
    found = operator.GetPartnerPolicy(pb.GetPartnerPolicyRequest(partner=till.partner.id), timeout=SECONDS)
    assert found == rich.policy
    refused = Refused.of(lambda: operator.SetPartnerPolicy(policy(till, revision=1), timeout=SECONDS))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "POLICY_CHANGED")


def test_a_policy_is_in_force_for_the_next_award(till: Till, operator: LedgerServiceStub) -> None:
    operator.SetPartnerPolicy(policy(till, pending_days=14), timeout=SECONDS)
    balance = till.award(till.grant(), 50).balance
    assert (balance.available, balance.pending) == (0, 50)


def test_who_has_no_policy_is_told_so(till: Till, operator: LedgerServiceStub) -> None:
    request = pb.GetPartnerPolicyRequest(partner=till.partner.id)
    assert Refused.of(lambda: operator.GetPartnerPolicy(request, timeout=SECONDS)).reason == "POLICY_NOT_FOUND"


def test_a_partner_may_not_change_its_own_terms(till: Till) -> None:
    set_allowance = pb.SetAwardAllowanceRequest(partner=till.partner.id, revision=1, limit_points=10**12)
    first = Refused.of(lambda: till.ledger.SetAwardAllowance(set_allowance, timeout=SECONDS))
    second = Refused.of(lambda: till.ledger.SetPartnerPolicy(policy(till), timeout=SECONDS))
    assert first.code is second.code is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    "request_",
    [
        pb.SetAwardAllowanceRequest(partner="grocer"),
        pb.SetAwardAllowanceRequest(partner="Grocer", revision=1),
        pb.SetAwardAllowanceRequest(partner="grocer", revision=1, limit_points=-1),
        pb.SetAwardAllowanceRequest(partner="grocer", revision=1, limit_points=10**18 + 1),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(
    operator: LedgerServiceStub, request_: pb.SetAwardAllowanceRequest
) -> None:
    refused = Refused.of(lambda: operator.SetAwardAllowance(request_, timeout=SECONDS))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
