"""Transfers and merges over the wire: two entries, provenance kept, request ids carried along."""

from __future__ import annotations

from uuid import UUID, uuid4

from coalition.ledger.v1 import ledger_pb2 as pb

from tests.ledger.till import SECONDS, Till, award, fresh_id, points, reverse
from tests.support.refused import Refused
from tests.support.together import until


def transfer(till: Till, source: str, target: str, amount: int, **more: object) -> pb.TransferPointsRequest:
    return pb.TransferPointsRequest(
        request_id=fresh_id(),
        from_grant=source,
        to_grant=target,
        points=amount,
        **more,  # type: ignore[arg-type]
    )


def merge(till: Till, source: UUID, target: UUID, **more: object) -> pb.MergeWalletsRequest:
    grants = [till.grant(wallet, partner="operator") for wallet in (source, target)]
    return pb.MergeWalletsRequest(
        request_id=fresh_id(),
        from_grant=grants[0],
        to_grant=grants[1],
        **more,  # type: ignore[arg-type]
    )


def test_transferred_points_keep_their_expiry_and_a_repeat_moves_nothing(till: Till) -> None:
    anna, ben = till.grant(), till.grant()
    till.award(anna, 100)
    request = transfer(till, anna, ben, 30)
    moved = till.ledger.TransferPoints(request, timeout=SECONDS)
    assert moved.state == pb.TRANSFER_STATE_ARRIVED
    assert (moved.departure.kind, moved.departure.balance) == (pb.ENTRY_KIND_TRANSFER_OUT, points(available=70))
    assert (moved.arrival.kind, moved.arrival.balance) == (pb.ENTRY_KIND_TRANSFER_IN, points(available=30))
    assert till.ledger.TransferPoints(request, timeout=SECONDS) == moved
    assert (till.balance(anna), till.balance(ben)) == (points(available=70), points(available=30))
    schedules = [
        till.ledger.GetExpirySchedule(pb.GetExpiryScheduleRequest(grant=grant), timeout=SECONDS).dates
        for grant in (anna, ben)
    ]
    assert [date.expires_on for date in schedules[0]] == [date.expires_on for date in schedules[1]]


def test_nobody_sends_more_than_is_there_or_to_the_same_wallet(till: Till) -> None:
    wallet = uuid4()
    anna = till.grant(wallet)
    till.award(anna, 10)
    too_much = transfer(till, anna, till.grant(), 11)
    assert Refused.of(lambda: till.ledger.TransferPoints(too_much, timeout=SECONDS)).reason == "INSUFFICIENT_POINTS"
    itself = transfer(till, anna, till.grant(wallet), 5)
    assert Refused.of(lambda: till.ledger.TransferPoints(itself, timeout=SECONDS)).reason == "TRANSFER_TO_ITSELF"
    assert till.balance(anna) == points(available=10)


def test_a_merge_moves_everything_and_whatever_comes_later(till: Till) -> None:
    source, target = uuid4(), uuid4()
    old, new = till.grant(source), till.grant(target)
    given = award(old, 40)
    first = till.ledger.AwardPoints(given, timeout=SECONDS)
    hold = till.hold(old, 15)
    merged = till.platform.operator.ledger.MergeWallets(merge(till, source, target), timeout=SECONDS)
    assert (merged.departure.points, merged.state) == (25, pb.TRANSFER_STATE_ARRIVED)
    assert till.balance(new) == points(available=25)
    till.ledger.ReleaseHold(pb.ReleaseHoldRequest(request_id=fresh_id(), name=hold.name), timeout=SECONDS)
    until(lambda: till.balance(new) == points(available=40))
    assert till.balance(old) == points()
    repeated = award(new, 40, request_id=given.request_id)
    repeated.request_id = given.request_id
    assert till.ledger.AwardPoints(repeated, timeout=SECONDS) == first, "the request id was used before the merge"


def test_after_a_merge_a_reversal_finds_the_points_where_they_went(till: Till) -> None:
    source, target = uuid4(), uuid4()
    old, new = till.grant(source), till.grant(target)
    given = till.award(old, 40)
    till.platform.operator.ledger.MergeWallets(merge(till, source, target), timeout=SECONDS)
    undone = till.ledger.ReverseAward(reverse(given), timeout=SECONDS)
    assert undone.owed_points == 40
    until(lambda: till.balance(new) == points())
    assert till.balance(old) == points()


def test_only_the_operator_merges_with_grants_of_its_own(till: Till) -> None:
    request = merge(till, uuid4(), uuid4())
    assert Refused.of(lambda: till.ledger.MergeWallets(request, timeout=SECONDS)).reason == "NOT_ALLOWED"
    foreign = pb.MergeWalletsRequest(request_id=fresh_id(), from_grant=till.grant(), to_grant=till.grant())
    operator = till.platform.operator.ledger
    assert Refused.of(lambda: operator.MergeWallets(foreign, timeout=SECONDS)).reason == "GRANT_INVALID"


def test_a_merged_wallet_is_no_target_for_another_merge(till: Till) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    operator = till.platform.operator.ledger
    operator.MergeWallets(merge(till, first, second), timeout=SECONDS)
    request = merge(till, third, first)
    assert Refused.of(lambda: operator.MergeWallets(request, timeout=SECONDS)).reason == "WALLET_MERGED"


def test_a_merge_into_itself_is_refused_as_that_also_when_the_wallet_was_merged_before(till: Till) -> None:
    gone = uuid4()
    operator = till.platform.operator.ledger
    round_ = merge(till, gone, gone)
    assert Refused.of(lambda: operator.MergeWallets(round_, timeout=SECONDS)).reason == "TRANSFER_TO_ITSELF"
    operator.MergeWallets(merge(till, gone, uuid4()), timeout=SECONDS)
    assert Refused.of(lambda: operator.MergeWallets(round_, timeout=SECONDS)).reason == "TRANSFER_TO_ITSELF"


def test_a_merge_is_repeated_also_when_its_target_was_merged_since(till: Till) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    operator = till.platform.operator.ledger
    request = merge(till, first, second)
    merged = operator.MergeWallets(request, timeout=SECONDS)
    operator.MergeWallets(merge(till, second, third), timeout=SECONDS)
    assert operator.MergeWallets(request, timeout=SECONDS) == merged
