"""Calls are gathered while many are under way, and only then."""

from __future__ import annotations

import asyncio

import pytest

from shared.rpc.loop.bursts import _FEW, _GATHERING_SECONDS, _MOST, Bursts


async def begun(bursts: Bursts, count: int) -> None:
    for _ in range(count):
        await bursts.begin()


def test_a_few_calls_begin_at_once() -> None:
    bursts = Bursts()
    for _ in range(_FEW):
        with pytest.raises(StopIteration):  # the coroutine ends without having waited
            bursts.begin().send(None)


def test_of_many_calls_those_that_come_together_begin_together() -> None:
    async def scene() -> list[int]:
        bursts, order = Bursts(), list[int]()
        await begun(bursts, _FEW)

        async def call(number: int) -> None:
            await bursts.begin()
            order.append(number)

        first = asyncio.create_task(call(1))
        await asyncio.sleep(0)
        second = asyncio.create_task(call(2))
        await asyncio.sleep(0)
        assert order == []
        await asyncio.gather(first, second)
        return order

    assert asyncio.run(scene()) == [1, 2]


def test_a_full_burst_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.rpc.loop.bursts._GATHERING_SECONDS", 60.0)

    async def scene() -> None:
        bursts = Bursts()
        await begun(bursts, _FEW)
        await asyncio.wait_for(asyncio.gather(*[bursts.begin() for _ in range(_MOST)]), 10)

    asyncio.run(scene())


def test_whoever_goes_away_while_it_waits_takes_nobody_along() -> None:
    async def scene() -> None:
        bursts = Bursts()
        await begun(bursts, _FEW)
        stays, leaves = (asyncio.create_task(bursts.begin()) for _ in range(2))
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.wait_for(stays, 10 + _GATHERING_SECONDS)
        assert leaves.cancelled()
        bursts.end()
        assert not bursts.many

    asyncio.run(scene())
