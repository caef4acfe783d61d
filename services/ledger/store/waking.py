"""Waking who waits on an event loop: by their outcome, told from any thread, or by their deadline."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

Waiter: TypeAlias = "asyncio.Future[None]"
"""Somebody on a loop who waits for no more than to be woken: what he waits for lies elsewhere."""


def wake(waiters: Iterable[Waiter]) -> None:
    """From any thread: every loop is woken once, whoever has gone meanwhile is let go."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Waiter]] = defaultdict(list)
    for waiter in waiters:
        by_loop[waiter.get_loop()].append(waiter)
    for loop, theirs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, theirs)
        except RuntimeError:  # the loop has ended: nobody waits there any more
            continue


async def woken(waiter: Waiter, within: float) -> None:
    """Wait until somebody wakes us, at most so many seconds."""
    late = waiter.get_loop().call_later(within, _resolve, (waiter,))
    try:
        await waiter
    finally:  # a caller who goes away need not be remembered until the deadline
        late.cancel()


def _resolve(waiters: Iterable[Waiter]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
