"""Moving points over the wire: answers, repeats, names and times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo

from services.sandbox.clients import Calls
from shared.credentials.grants import Scope
from tests.ledger.till import (
    SECONDS,
    Till,
    after,
    award,
    capture,
    fresh_id,
    hold,
    points,
    receipt,
    redeem,
    refund,
    release,
    reverse,
    till_of,
)
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused


def _now(till: Till) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(till.platform.clock.now())
    return stamp


def test_an_award_answers_with_its_place_and_the_balance_after_it(till: Till) -> None:
    grant, paper = till.grant(), receipt()
    till.award(grant, 30)
    entry = till.award(grant, 12, receipt_ref=paper)
    assert entry.name == f"{till.partner.name}/entries/{entry.bucket}-{entry.seq}"
    assert (entry.kind, entry.points) == (pb.ENTRY_KIND_AWARD, 12)
    assert entry.balance == points(available=42)
    assert entry.receipt_ref == paper
    assert entry.occurred_at == entry.posted_at == _now(till)
    assert len(entry.hash) == 32
    assert till.balance(grant) == points(available=42)


def test_an_award_keeps_the_time_at_the_till(till: Till) -> None:
    earlier = Timestamp(seconds=1_767_000_000, nanos=123_456_000)
    entry = till.award(till.grant(), occurred_at=earlier)
    assert (entry.occurred_at, entry.posted_at) == (earlier, _now(till))


def test_a_grant_of_either_scope_may_award(till: Till) -> None:
    wallet = uuid4()
    till.award(till.grant(wallet, Scope.AWARD), 1)
    assert till.award(till.grant(wallet, Scope.REDEEM), 1).balance.available == 2


def test_a_hold_goes_from_open_to_captured(till: Till) -> None:
    grant = till.grant()
    till.award(grant)
    placed = till.hold(grant, 60, ttl=after(minutes=5), store="S1", terminal="T1")
    assert placed.name == f"{till.partner.name}/holds/{placed.name.rpartition('/')[2]}"
    assert (placed.state, placed.points, placed.captured_points) == (pb.HOLD_STATE_OPEN, 60, 0)
    assert placed.balance == points(available=40, held=60)
    assert placed.expire_time.seconds - placed.create_time.seconds == 300
    entry = till.ledger.CaptureHold(capture(placed, 50), timeout=SECONDS)
    assert (entry.kind, entry.points, entry.original) == (pb.ENTRY_KIND_CAPTURE, 50, placed.name)
    assert entry.balance == points(available=50)
    found = till.ledger.GetHold(pb.GetHoldRequest(name=placed.name), timeout=SECONDS)
    assert (found.state, found.captured_points) == (pb.HOLD_STATE_CAPTURED, 50)


def test_a_hold_without_a_time_to_live_lives_a_quarter_of_an_hour(till: Till) -> None:
    grant = till.grant()
    till.award(grant)
    placed = till.hold(grant, 1)
    assert placed.expire_time.seconds - placed.create_time.seconds == 900


def test_a_release_gives_everything_back(till: Till) -> None:
    grant = till.grant()
    till.award(grant)
    placed = till.hold(grant, 60)
    entry = till.ledger.ReleaseHold(release(placed), timeout=SECONDS)
    assert (entry.kind, entry.points, entry.original) == (pb.ENTRY_KIND_RELEASE, 60, placed.name)
    assert entry.balance == points(available=100)


def test_a_reversal_says_what_was_recovered_and_what_was_not(till: Till) -> None:
    grant = till.grant()
    given = till.award(grant)
    spent = till.redeem(grant, 70)
    assert spent.kind == pb.ENTRY_KIND_REDEMPTION
    entry = till.ledger.ReverseAward(reverse(given), timeout=SECONDS)
    assert (entry.kind, entry.points, entry.original) == (pb.ENTRY_KIND_REVERSAL, 100, given.name)
    assert (entry.recovered_points, entry.written_off_points) == (30, 70)


def test_a_refund_names_its_redemption(till: Till) -> None:
    grant = till.grant()
    till.award(grant)
    spent = till.redeem(grant, 70)
    entry = till.ledger.RefundRedemption(refund(spent, 20), timeout=SECONDS)
    assert (entry.kind, entry.points, entry.original) == (pb.ENTRY_KIND_REFUND, 20, spent.name)
    assert entry.balance == points(available=50)


def test_an_entry_can_be_read_again_as_it_was_answered(till: Till) -> None:
    entry = till.award(till.grant(), receipt_ref=receipt())
    assert till.ledger.GetEntry(pb.GetEntryRequest(name=entry.name), timeout=SECONDS) == entry


Request = Callable[[Till, str], Any]
REQUESTS: dict[str, Request] = {
    "AwardPoints": lambda till, grant: award(grant, 5, receipt_ref=receipt()),
    "HoldPoints": lambda till, grant: hold(grant, 5),
    "RedeemPoints": lambda till, grant: redeem(grant, 5),
    "CaptureHold": lambda till, grant: capture(till.hold(grant, 5)),
    "ReleaseHold": lambda till, grant: release(till.hold(grant, 5)),
    "ReverseAward": lambda till, grant: reverse(till.award(grant, 5)),
    "RefundRedemption": lambda till, grant: refund(till.redeem(grant, 5)),
}


@pytest.mark.parametrize("method", REQUESTS)
def test_a_repeat_gets_the_same_bytes_and_is_marked(till: Till, method: str) -> None:
    wallet = uuid4()
    grant = till.grant(wallet)
    till.award(grant)
    request = REQUESTS[method](till, grant)
    stub = getattr(till.ledger, method)
    first, call = stub.with_call(request, timeout=SECONDS)
    till.award(grant, 1)
    if "grant" in request.DESCRIPTOR.fields_by_name:
        request.grant = till.grant(wallet)  # a retry may carry a fresh one
    again, repeat = stub.with_call(request, timeout=SECONDS)
    assert first.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)
    marks = [dict(answer.trailing_metadata()).get("idempotent-replay") for answer in (call, repeat)]
    assert marks == [None, "true"]


def test_a_batch_answers_each_item_on_its_own(till: Till, platform: RunningPlatform) -> None:
    grant, paper = till.grant(), receipt()
    first = award(grant, 10, receipt_ref=paper)
    stranger = till_of(platform)
    items = [
        first,
        first,
        award(stranger.grant(), 10),
        award(grant, 11, receipt_ref=paper),
        award("gibberish", 10),
        award(grant, 5, occurred_at=Timestamp(seconds=10**15)),
        award(grant, 5, lines=[pb.AwardLine(points=1, issuer=stranger.partner.id)]),
        award(grant, 0),
        pb.AwardPointsRequest(),
        award(till.grant(), 3),
    ]
    answer = till.ledger.BatchAwardPoints(pb.BatchAwardPointsRequest(items=items), timeout=SECONDS)
    said = [result.entry.points if result.HasField("entry") else _reason(result) for result in answer.results]
    assert said == [
        10,
        10,
        "GRANT_INVALID",
        "RECEIPT_ALREADY_USED",
        "GRANT_INVALID",
        "NOT_AN_INSTANT",
        "ISSUER_NOT_ALLOWED",
        "INVALID_REQUEST",
        "INVALID_REQUEST",
        3,
    ]
    assert [result.replay for result in answer.results[:2]] == [False, True]
    assert till.available(grant) == 10


def test_five_hundred_awards_go_up_at_once(till: Till) -> None:
    items = [award(till.grant(), 1 + number) for number in range(500)]
    answer = till.ledger.BatchAwardPoints(pb.BatchAwardPointsRequest(items=items), timeout=60)
    assert [result.entry.points for result in answer.results] == [1 + number for number in range(500)]
    refused = Refused.of(
        lambda: till.ledger.BatchAwardPoints(pb.BatchAwardPointsRequest(items=[*items, items[0]]), timeout=60)
    )
    assert refused.fields == ["items"]


def test_the_catalogue_awards_for_a_partner_and_names_other_issuers(till: Till, platform: RunningPlatform) -> None:
    catalogue = Calls(platform.sandbox.targets, platform.sandbox.authority.service("catalogue"))
    try:
        grant = till.grant(scope=Scope.AWARD)
        lines = [pb.AwardLine(points=19), pb.AwardLine(points=5, issuer="operator")]
        request = pb.AwardPointsRequest(request_id=fresh_id(), grant=grant, lines=lines)
        entry = catalogue.ledger.AwardPoints(request, timeout=SECONDS)
        assert entry.name.startswith(f"{till.partner.name}/entries/")
        assert till.ledger.GetEntry(pb.GetEntryRequest(name=entry.name), timeout=SECONDS) == entry
        back = pb.ReverseAwardRequest(request_id=fresh_id(), entry=entry.name)
        assert catalogue.ledger.ReverseAward(back, timeout=SECONDS).recovered_points == 24
    finally:
        catalogue.close()


def test_a_hold_whose_time_is_up_gives_its_points_back_by_itself(till: Till, platform: RunningPlatform) -> None:
    grant = till.grant()
    till.award(grant)
    placed = till.hold(grant, 60, ttl=after(seconds=1))
    platform.clock.move(after(seconds=2).ToTimedelta())
    assert till.award(grant, 1).points == 1
    refused = Refused.of(lambda: till.ledger.CaptureHold(capture(placed), timeout=SECONDS))
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", "HOLD_EXPIRED")
    assert till.redeem(grant, 101).balance == points()
    clockwork = pb.ListEntriesRequest(parent="partners/operator", page_size=1000)
    entries = platform.operator.ledger.ListEntries(clockwork, timeout=SECONDS).entries
    assert (pb.ENTRY_KIND_RELEASE, 60, "") in {(entry.kind, entry.points, entry.original) for entry in entries}


def _reason(result: pb.AwardResult) -> str:
    info = ErrorInfo()
    assert result.refusal.details[0].Unpack(info)
    return info.reason
