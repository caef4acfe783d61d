"""The client at the running platform: what a till does on its first day, and what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from coalition.client import (
    Coalition,
    GrantInvalid,
    GrantScope,
    InsufficientPoints,
    InvalidRequest,
    MemberNotFound,
    ReceiptAlreadyUsed,
    RequestIdReused,
    aio,
    connect,
    new_request_id,
    refusal_of,
    was_replayed,
)
from coalition.identity.v1 import identity_pb2 as identity
from coalition.ledger.v1 import ledger_pb2 as pb

from tests.support.platform import Member, Partner, RunningPlatform

RECEIPT = {"store": "1", "terminal": "2", "business_date": {"year": 2026, "month": 1, "day": 15}}


@pytest.fixture
def grocer(platform: RunningPlatform) -> Partner:
    return platform.partner()


@pytest.fixture
def anna(platform: RunningPlatform) -> Member:
    return platform.member()


@pytest.fixture
def till(grocer: Partner) -> Iterator[Coalition]:
    with connect(grocer.kit.folder) as coalition:
        yield coalition


def award(grant: str, points: int = 120, **more: object) -> pb.AwardPointsRequest:
    request = pb.AwardPointsRequest(request_id=new_request_id(), grant=grant, lines=[pb.AwardLine(points=points)])
    request.MergeFrom(pb.AwardPointsRequest(**more))  # type: ignore[arg-type]  # fields of the request
    return request


def grant_of(till: Coalition, member: Member, code: str = "") -> str:
    return till.members.ResolveMember(identity.ResolveMemberRequest(identifier=member.card, code=code)).grant


def test_a_first_award(till: Coalition, anna: Member) -> None:
    entry = till.ledger.AwardPoints(award(grant_of(till, anna)))
    assert (entry.points, entry.balance.available) == (120, 120)
    assert entry.name.startswith(f"{till.name}/entries/")


def test_a_repeat_is_answered_alike_and_marked(till: Coalition, anna: Member) -> None:
    request = award(grant_of(till, anna))
    first, call = till.ledger.AwardPoints.with_call(request)
    again, repeat = till.ledger.AwardPoints.with_call(request)
    assert first == again
    assert [was_replayed(call), was_replayed(repeat)] == [False, True]


def test_the_same_id_for_something_else_names_the_first(till: Coalition, anna: Member) -> None:
    grant = grant_of(till, anna)
    request = award(grant)
    first = till.ledger.AwardPoints(request)
    request.lines[0].points = 121
    with pytest.raises(RequestIdReused) as caught:
        till.ledger.AwardPoints(request)
    assert caught.value.first == first.name


def test_a_receipt_earns_once_and_the_second_names_the_first(till: Coalition, anna: Member) -> None:
    receipt = pb.ReceiptRef(receipt_no=new_request_id(), **RECEIPT)  # type: ignore[arg-type]  # a dict is a Date too
    grant = grant_of(till, anna)
    first = till.ledger.AwardPoints(award(grant, receipt_ref=receipt))
    with pytest.raises(ReceiptAlreadyUsed) as caught:
        till.ledger.AwardPoints(award(grant, receipt_ref=receipt))
    assert caught.value.first == first.name


def test_a_hold_beyond_the_balance_says_what_is_available(
    platform: RunningPlatform, till: Coalition, anna: Member
) -> None:
    code = anna.code(platform.clock.move(timedelta(seconds=30)))
    grant = grant_of(till, anna, code)
    till.ledger.AwardPoints(award(grant, points=80))
    with pytest.raises(InsufficientPoints) as caught:
        till.ledger.HoldPoints(pb.HoldPointsRequest(request_id=new_request_id(), grant=grant, points=100))
    assert (caught.value.available, caught.value.requested) == (80, 100)


def test_a_number_does_not_let_spend(till: Coalition, anna: Member) -> None:
    with pytest.raises(GrantScope):
        till.ledger.RedeemPoints(
            pb.RedeemPointsRequest(request_id=new_request_id(), grant=grant_of(till, anna), points=1)
        )


def test_another_partners_grant_is_no_grant(platform: RunningPlatform, till: Coalition, anna: Member) -> None:
    stranger = platform.partner()
    with pytest.raises(GrantInvalid):
        till.ledger.AwardPoints(award(platform.grant(stranger, anna)))


def test_a_malformed_request_names_its_field(till: Coalition, anna: Member) -> None:
    with pytest.raises(InvalidRequest) as caught:
        till.ledger.AwardPoints(award(grant_of(till, anna), points=-1))
    assert [one.field for one in caught.value.violations] == ["lines[0].points"]


def test_an_unknown_card_is_typed_in_a_call_and_in_a_batch(till: Coalition) -> None:
    nobody = identity.Identifier(type=identity.IDENTIFIER_TYPE_CARD, value="000000000000")
    with pytest.raises(MemberNotFound):
        till.members.ResolveMember(identity.ResolveMemberRequest(identifier=nobody))
    batch = till.members.BatchResolveMembers(identity.BatchResolveMembersRequest(identifiers=[nobody]))
    assert isinstance(refusal_of(batch.results[0].refusal), MemberNotFound)


def test_a_day_that_passes_at_once_is_not_noticed(platform: RunningPlatform, till: Coalition, anna: Member) -> None:
    till.ledger.AwardPoints(award(grant_of(till, anna)))
    platform.clock.move(timedelta(days=1))
    assert till.ledger.AwardPoints(award(grant_of(till, anna))).balance.available == 240


def test_a_partner_lists_its_own_entries(platform: RunningPlatform, till: Coalition, anna: Member) -> None:
    grant = grant_of(till, anna)
    names = [till.ledger.AwardPoints(award(grant)).name for _ in range(5)]
    other = platform.partner()
    other.calls.ledger.AwardPoints(award(platform.grant(other, anna)), timeout=10)
    assert [entry.name for entry in till.list_entries(grant=grant, page_size=2)] == names


def test_a_new_partner_has_a_contract_and_nothing_else(till: Coalition) -> None:
    assert [one.name for one in till.list_contract_versions()] == [f"{till.name}/contract/versions/1"]
    assert [list(one) for one in (till.list_stores(), till.list_earn_rules(), till.list_statements())] == [[], [], []]


def test_the_asynchronous_client_does_the_same(grocer: Partner, anna: Member) -> None:
    async def first_day() -> None:
        async with aio.connect(grocer.kit.folder) as till:
            found = await till.members.ResolveMember(identity.ResolveMemberRequest(identifier=anna.card))
            request = award(found.grant)
            first = await till.ledger.AwardPoints(request)
            repeat = till.ledger.AwardPoints(request)
            assert await repeat == first
            assert await aio.was_replayed(repeat)
            with pytest.raises(GrantScope):
                await till.ledger.RedeemPoints(
                    pb.RedeemPointsRequest(request_id=new_request_id(), grant=found.grant, points=1)
                )
            assert [entry.name async for entry in till.list_entries()] == [first.name]

    asyncio.run(first_day())
