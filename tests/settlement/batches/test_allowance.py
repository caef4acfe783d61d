"""Caps over the running services: settlement tells the ledger how many points an issuer may still award."""

from __future__ import annotations

from uuid import uuid4

from coalition.ledger.v1 import ledger_pb2
from coalition.settlement.v1 import batches_pb2, settlement_pb2

from tests.ledger.till import Till
from tests.settlement.batches.wire import SECONDS, agree, cap_of, set_cap
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused
from tests.support.together import until
from tests.support.vectors import example

E14 = example("E14")


def capped_till(platform: RunningPlatform) -> Till:
    """78.00 owed, cap 80.00: 6 500 points at 0.012."""
    till = Till(platform, platform.partner(terms=None))
    agree(platform, till.partner.id)
    till.award(till.grant(), 6_500)
    until(lambda: weighed(platform, till) == "78")
    set_cap(platform, till.partner.id, 80_00)
    until(lambda: cap_of(platform, till.partner.id).told)
    return till


def weighed(platform: RunningPlatform, till: Till) -> str:
    request = settlement_pb2.GetPositionRequest(name=f"partners/{till.partner.id}/position")
    return platform.operator.contracts.GetPosition(request, timeout=SECONDS).weighed.value


def remaining(platform: RunningPlatform, till: Till) -> int:
    request = ledger_pb2.GetAwardAllowanceRequest(partner=till.partner.id)
    return platform.operator.ledger.GetAwardAllowance(request, timeout=SECONDS).remaining_points


def test_e14_166_points_pass_and_167_do_not(platform: RunningPlatform) -> None:
    till = capped_till(platform)
    first, refused_, accepted, *_ = E14["then"]["steps"]
    _, too_many, fitting, *_ = E14["when"]
    assert remaining(platform, till) == first["allowance_points"]
    refused = Refused.of(lambda: till.award(till.grant(), too_many["points"]))
    assert (refused.code.name, refused.reason) == (refused_["refused"]["status"], refused_["refused"]["reason"])
    assert remaining(platform, till) == refused_["allowance_points"]
    assert weighed(platform, till) == refused_["position_exact"]
    wallet = till.grant()
    till.award(wallet, fitting["points"])
    assert Refused.of(lambda: till.award(till.grant(), 1)).reason == "PARTNER_NET_DEBIT_CAP_EXCEEDED"
    until(lambda: weighed(platform, till) == accepted["position_exact"])
    assert remaining(platform, till) == accepted["allowance_points"]


def test_e14_what_is_redeemed_at_the_issuer_gives_room_again(platform: RunningPlatform) -> None:
    till, wallet = capped_till(platform), uuid4()
    other = Till(platform, platform.partner(terms=None))
    agree(platform, other.partner.id)
    other.award(other.grant(wallet), 1_000)
    till.award(till.grant(), 166)
    held = till.hold(till.grant(wallet), 1_000)
    until(lambda: weighed(platform, till) == "79.992")
    assert remaining(platform, till) == 0, "an uncaptured hold gives no room"
    capture = ledger_pb2.CaptureHoldRequest(name=held.name, request_id=str(uuid4()), points=1_000)
    till.ledger.CaptureHold(capture, timeout=SECONDS)
    until(lambda: weighed(platform, till) == "70.992")
    until(lambda: remaining(platform, till) == E14["then"]["steps"][4]["allowance_points"])


def test_a_cap_is_seen_by_its_partner_and_by_nobody_else(platform: RunningPlatform) -> None:
    till, stranger = capped_till(platform), platform.partner()
    request = batches_pb2.GetCapRequest(name=f"partners/{till.partner.id}/cap")
    cap = till.partner.calls.caps.GetCap(request, timeout=SECONDS)
    assert (cap.net_debit_cap.units, cap.version, cap.limit_points) == (80, 1, 6_666)
    assert Refused.of(lambda: stranger.calls.caps.GetCap(request, timeout=SECONDS)).reason == "CAP_NOT_FOUND"
