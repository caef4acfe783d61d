"""Whether an answer was given before."""

from __future__ import annotations

from typing import TypeVar

from coalition.client.replays import says_replay
from grpc import aio

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


async def was_replayed(call: aio.UnaryUnaryCall[Asked, Answered]) -> bool:
    """Whether the request id had been answered before: `call = stub.AwardPoints(request); entry = await call`."""
    return says_replay(await call.trailing_metadata() or ())
