"""The asynchronous client does what the other does, under the same names."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from threading import Event

import coalition.client
import grpc
import pytest
from coalition.client import DeadlineExceeded, InsufficientPoints, ServiceUnavailable, TokenExpired, aio
from coalition.ledger.v1 import ledger_pb2 as pb

from tests.client.house import AWARD, LIST, House, refuse

ASKED = pb.AwardPointsRequest()


def run(house: House, act: Callable[[aio.Coalition], Awaitable[object]]) -> None:
    """Do something as the partner of the house."""

    async def main() -> None:
        async with aio.connect(house.kit) as coalition:
            await act(coalition)

    asyncio.run(main())


def test_both_clients_have_the_same_names() -> None:
    def names(of: type) -> set[str]:
        return {name for name in vars(of) if not name.startswith("_")}

    assert names(aio.Coalition) == names(coalition.client.Coalition)
    assert set(aio.__all__) <= set(coalition.client.__all__)
    for name in aio.__all__:
        ours, theirs = getattr(aio, name), getattr(coalition.client, name)
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)


def test_many_tasks_fetch_one_token(house: House) -> None:
    house.on(AWARD, lambda request, context: pb.Entry(name="partners/grocer/entries/1-1"))

    async def act(coalition: aio.Coalition) -> None:
        entries = await asyncio.gather(*(coalition.ledger.AwardPoints(ASKED) for _ in range(24)))
        assert {entry.name for entry in entries} == {"partners/grocer/entries/1-1"}

    run(house, act)
    assert len(house.issued) == 1


def test_a_token_that_ended_early_is_renewed_and_the_call_repeated(house: House) -> None:
    house.on(AWARD, lambda request, context: pb.Entry())

    async def act(coalition: aio.Coalition) -> None:
        await coalition.ledger.AwardPoints(ASKED)
        house.good.clear()
        await coalition.ledger.AwardPoints(ASKED)

    run(house, act)
    assert house.bearers == [house.issued[0], house.issued[0], house.issued[1]]


def test_a_platform_that_takes_no_token_is_asked_twice_and_no_more(house: House) -> None:
    house.on(AWARD, lambda request, context: refuse(context, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED"))

    async def act(coalition: aio.Coalition) -> None:
        with pytest.raises(TokenExpired):
            await coalition.ledger.AwardPoints(ASKED)

    run(house, act)
    assert len(house.bearers) == len(house.issued) == 2


def test_a_refusal_has_its_facts(house: House) -> None:
    facts = {"available": "80", "requested": "100"}

    def award(request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS", facts)

    house.on(AWARD, award)

    async def act(coalition: aio.Coalition) -> None:
        with pytest.raises(InsufficientPoints) as caught:
            await coalition.ledger.AwardPoints(ASKED)
        assert (caught.value.available, caught.value.requested) == (80, 100)

    run(house, act)


def test_a_late_answer_is_typed(house: House) -> None:
    let_go = Event()

    def award(request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        let_go.wait(5)
        return pb.Entry()

    async def act(coalition: aio.Coalition) -> None:
        with pytest.raises(DeadlineExceeded):
            await coalition.ledger.AwardPoints(ASKED, timeout=0.2)
        let_go.set()

    house.on(AWARD, award)
    run(house, act)


def test_a_call_without_a_timeout_gets_ten_seconds(house: House) -> None:
    house.on(AWARD, lambda request, context: pb.Entry())

    async def act(coalition: aio.Coalition) -> None:
        await coalition.ledger.AwardPoints(ASKED)  # connected
        await coalition.ledger.AwardPoints(ASKED)
        await coalition.ledger.AwardPoints(ASKED, timeout=3)

    run(house, act)
    assert [round(seconds) for seconds in house.seconds[1:]] == [10, 3]


def test_a_service_that_is_away_is_typed(house: House) -> None:
    house.stop()

    async def act(coalition: aio.Coalition) -> None:
        with pytest.raises(ServiceUnavailable):
            await coalition.ledger.AwardPoints(ASKED, timeout=5)

    run(house, act)


def test_a_list_is_all_its_pages(house: House) -> None:
    def answer(request: pb.ListEntriesRequest, context: grpc.ServicerContext) -> pb.ListEntriesResponse:
        page = int(request.page_token or 0)
        return pb.ListEntriesResponse(entries=[pb.Entry(seq=page)], next_page_token=str(page + 1) if page < 2 else "")

    house.on(LIST, answer)

    async def act(coalition: aio.Coalition) -> None:
        assert [entry.seq async for entry in coalition.list_entries()] == [0, 1, 2]

    run(house, act)


def test_a_replay_is_told_from_a_first_answer(house: House) -> None:
    def award(request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        context.set_trailing_metadata((("idempotent-replay", "true"),))
        return pb.Entry()

    house.on(AWARD, award)

    async def act(coalition: aio.Coalition) -> None:
        call = coalition.ledger.AwardPoints(ASKED)
        await call
        assert await aio.was_replayed(call)

    run(house, act)


def test_a_closed_client_says_so(house: House) -> None:
    async def act(coalition: aio.Coalition) -> None:
        await coalition.close()
        with pytest.raises(grpc.aio.UsageError, match="closed"):
            await coalition.ledger.AwardPoints(ASKED)

    run(house, act)
