"""Points that are not usable yet: by the line, by the issuer's policy; ended by time or by an action."""

from __future__ import annotations

from datetime import timedelta

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from tests.ledger.till import SECONDS, Till, award, fresh_id, points, redeem, reverse, till_of
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused


def later(till: Till, **units: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(till.platform.clock.now() + timedelta(**units))
    return stamp


def pending_award(till: Till, grant: str, amount: int, **units: float) -> pb.Entry:
    line = pb.AwardLine(points=amount, available_from=later(till, **units))
    request = pb.AwardPointsRequest(request_id=fresh_id(), grant=grant, lines=[line])
    return till.ledger.AwardPoints(request, timeout=SECONDS)


def test_pending_points_cannot_be_spent_until_their_time_has_come(till: Till) -> None:
    grant = till.grant()
    entry = pending_award(till, grant, 50, days=14)
    assert entry.balance == points(pending=50) == till.balance(grant)
    refusal = Refused.of(lambda: till.redeem(grant, 1))
    assert (refusal.reason, refusal.metadata["available"]) == ("INSUFFICIENT_POINTS", "0")
    till.platform.clock.move(timedelta(days=14))
    assert till.redeem(grant, 50).balance == points()


def test_a_partner_may_release_what_is_pending_of_its_award_and_a_repeat_says_the_same(till: Till) -> None:
    grant = till.grant()
    entry = pending_award(till, grant, 50, days=14)
    request = pb.ReleasePendingRequest(request_id=fresh_id(), entry=entry.name)
    released = till.ledger.ReleasePending(request, timeout=SECONDS)
    assert (released.kind, released.points, released.original) == (pb.ENTRY_KIND_PENDING_RELEASE, 50, entry.name)
    assert released.balance == points(available=50)
    assert till.ledger.ReleasePending(request, timeout=SECONDS) == released
    again = pb.ReleasePendingRequest(request_id=fresh_id(), entry=entry.name)
    assert Refused.of(lambda: till.ledger.ReleasePending(again, timeout=SECONDS)).reason == "NOTHING_PENDING"


def test_another_partners_pending_award_looks_like_none(till: Till, platform: RunningPlatform) -> None:
    entry = pending_award(till, till.grant(), 50, days=14)
    other = till_of(platform)
    request = pb.ReleasePendingRequest(request_id=fresh_id(), entry=entry.name)
    assert Refused.of(lambda: other.ledger.ReleasePending(request, timeout=SECONDS)).reason == "ENTRY_NOT_FOUND"


def test_a_reversal_takes_pending_points_first(till: Till) -> None:
    grant = till.grant()
    till.award(grant, 30)
    entry = pending_award(till, grant, 50, days=14)
    undone = till.ledger.ReverseAward(reverse(entry, 20), timeout=SECONDS)
    assert (undone.recovered_points, undone.balance) == (20, points(available=30, pending=30))


def test_the_policy_of_the_issuer_makes_its_awards_wait(till: Till) -> None:
    policy = pb.PartnerPolicy(partner=till.partner.id, revision=1, pending_days=30)
    till.platform.operator.ledger.SetPartnerPolicy(pb.SetPartnerPolicyRequest(policy=policy), timeout=SECONDS)
    grant = till.grant()
    entry = till.ledger.AwardPoints(award(grant, 70), timeout=SECONDS)
    assert entry.balance == points(pending=70)
    assert entry.lines[0].available_from.ToDatetime() - entry.occurred_at.ToDatetime() == timedelta(days=30)
    till.platform.clock.move(timedelta(days=30))
    assert till.ledger.RedeemPoints(redeem(grant, 70), timeout=SECONDS).balance == points()
