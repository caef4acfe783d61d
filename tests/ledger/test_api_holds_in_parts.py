"""Holds that are captured, released and extended bit by bit."""

from __future__ import annotations

from datetime import timedelta

from coalition.ledger.v1 import ledger_pb2 as pb

from tests.ledger.till import SECONDS, Till, after, capture, fresh_id, points, release
from tests.support.refused import Refused


def held(till: Till, amount: int, **more: object) -> tuple[str, pb.Hold]:
    grant = till.grant()
    till.award(grant, 100)
    return grant, till.hold(grant, amount, **more)


def look(till: Till, hold: pb.Hold) -> pb.Hold:
    return till.ledger.GetHold(pb.GetHoldRequest(name=hold.name), timeout=SECONDS)


def test_a_hold_that_is_kept_open_is_captured_in_parts_and_each_part_can_be_refunded(till: Till) -> None:
    grant, hold = held(till, 60)
    first = capture(hold, 20)
    first.keep_open = True
    entry = till.ledger.CaptureHold(first, timeout=SECONDS)
    assert entry.balance == points(available=40, held=40)
    assert (look(till, hold).state, look(till, hold).captured_points) == (pb.HOLD_STATE_OPEN, 20)
    last = till.ledger.CaptureHold(capture(hold), timeout=SECONDS)
    assert (last.points, last.balance) == (40, points(available=40))
    assert (look(till, hold).state, look(till, hold).captured_points) == (pb.HOLD_STATE_CAPTURED, 60)
    for spent in (entry, last):
        till.ledger.RefundRedemption(
            pb.RefundRedemptionRequest(request_id=fresh_id(), entry=spent.name), timeout=SECONDS
        )
    assert till.balance(grant) == points(available=100)


def test_part_of_a_hold_can_be_given_back_and_the_rest_stays(till: Till) -> None:
    grant, hold = held(till, 60)
    part = release(hold)
    part.points = 25
    assert till.ledger.ReleaseHold(part, timeout=SECONDS).balance == points(available=65, held=35)
    assert look(till, hold).released_points == 25
    part = release(hold)
    part.points = 36
    refusal = Refused.of(lambda: till.ledger.ReleaseHold(part, timeout=SECONDS))
    assert (refusal.reason, refusal.metadata["held"]) == ("RELEASE_EXCEEDS_HOLD", "35")
    assert till.ledger.ReleaseHold(release(hold), timeout=SECONDS).points == 35
    assert till.balance(grant) == points(available=100)


def test_an_extended_hold_lives_on_and_is_never_shortened(till: Till) -> None:
    grant, hold = held(till, 60, ttl=after(minutes=10))
    request = pb.ExtendHoldRequest(request_id=fresh_id(), name=hold.name, ttl=after(hours=2))
    extended = till.ledger.ExtendHold(request, timeout=SECONDS)
    assert (extended.kind, extended.points, extended.original) == (pb.ENTRY_KIND_EXTENSION, 60, hold.name)
    assert look(till, hold).expire_time == extended.hold_until
    assert till.ledger.ExtendHold(request, timeout=SECONDS) == extended
    shorter = pb.ExtendHoldRequest(request_id=fresh_id(), name=hold.name, ttl=after(minutes=5))
    assert Refused.of(lambda: till.ledger.ExtendHold(shorter, timeout=SECONDS)).reason == "HOLD_ENDS_LATER"
    till.platform.clock.move(timedelta(hours=1))
    assert till.ledger.CaptureHold(capture(hold), timeout=SECONDS).points == 60
    assert till.balance(grant) == points(available=40)


def test_what_is_left_of_a_hold_goes_back_when_its_time_is_up(till: Till) -> None:
    grant, hold = held(till, 60, ttl=after(minutes=10))
    part = capture(hold, 20)
    part.keep_open = True
    till.ledger.CaptureHold(part, timeout=SECONDS)
    till.platform.clock.move(timedelta(minutes=10))
    assert till.redeem(grant, 80).balance == points()
    assert look(till, hold).state == pb.HOLD_STATE_CAPTURED
    assert look(till, hold).released_points == 40


def test_many_holds_are_released_in_one_call_and_a_bad_one_spoils_nothing(till: Till) -> None:
    grant, first = held(till, 10)
    second = till.hold(grant, 20)
    stranger = pb.Hold(name=f"{till.partner.name}/holds/{first.name.rsplit('/', 1)[1].split('-')[0]}-999999999")
    items = [release(first), release(stranger), release(second), pb.ReleaseHoldRequest(name=first.name)]
    results = till.ledger.BatchReleaseHolds(pb.BatchReleaseHoldsRequest(items=items), timeout=SECONDS).results
    assert [result.WhichOneof("outcome") for result in results] == ["entry", "refusal", "entry", "refusal"]
    assert till.balance(grant) == points(available=100)
