"""What a caller streams, read within the call's time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

from google.protobuf.message import Message

from shared.rpc.call import CallContext
from shared.rpc.deadline import TimeIsUp
from shared.rpc.validation import Decode


class Contents:
    """What a caller streams, for a method that reads it in a thread: nobody holds one beyond the call's time."""

    def __init__(self, contents: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop, until: float) -> None:
        self._contents = contents
        self._loop = loop
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        while (content := asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()) is not None:
            yield content

    async def _next(self) -> bytes | None:
        return await _following(self._contents, self._until - time.monotonic())


async def _following(contents: AsyncIterator[bytes], within: float) -> bytes | None:
    """The next message of a stream, None at its end. Raises TimeIsUp."""
    try:
        return await asyncio.wait_for(anext(contents, None), max(within, 0.0))
    except TimeoutError:
        raise TimeIsUp from None


async def decoding(contents: AsyncIterator[bytes], decode: Decode, call: CallContext) -> AsyncIterator[Message]:
    """The messages as they come, until the call's time is up."""
    while (content := await _following(contents, call.time_remaining())) is not None:
        yield decode(content, call)
