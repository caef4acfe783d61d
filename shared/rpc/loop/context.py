"""gRPC's context of a call on a loop, with the face that our steps know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from traceback import clear_frames
from typing import Any, NamedTuple, NoReturn, cast

import grpc
import grpc.aio

from shared.rpc import call as calls
from shared.rpc.call import Metadata


class Ending(NamedTuple):
    """How a call ends that a step has broken off."""

    code: grpc.StatusCode
    details: str


class Aborted(Exception):
    """A step has decided how the call ends; the loop has to say so."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self._ending = Ending(code, details)

    def ending(self) -> Ending:
        """What to say, once: then the steps that this came through let go of the call, with the whole request in it.

        Whoever keeps what was raised would keep all of that until the collector comes. Nor may it hang on the exception
        with which gRPC ends the call, and which it keeps: `LoopContext.end` is for behind the `except`.
        """
        clear_frames(self.__traceback__)
        return self._ending


class LoopContext(grpc.ServicerContext):
    """gRPC's context of a call on the loop, as our steps know contexts. Any thread may use it."""

    def __init__(self, inner: grpc.aio.ServicerContext[Any, Any]) -> None:
        self._inner = inner
        self._identities = inner.peer_identities()
        self._identity_key = inner.peer_identity_key()
        self._metadata = cast(Metadata, tuple(inner.invocation_metadata() or ()))
        left = cast(float | None, inner.time_remaining())  # the stub forgets that there may be no deadline
        self._left = float("inf") if left is None else left
        self.until = time.monotonic() + (calls.DEFAULT_SECONDS if left is None else left)
        self.trailing: Metadata = ()

    def time_remaining(self) -> float:
        """As it was at the beginning; `CallContext` counts on from there."""
        return self._left

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        self.trailing = tuple(trailing_metadata)

    def hand_over(self) -> None:
        """Give gRPC what was gathered; on the loop, before the call ends."""
        self._inner.set_trailing_metadata(self.trailing)

    async def end(self, ending: Ending) -> NoReturn:
        """End a call that answers once. gRPC raises, and keeps what it raised, with its frames, for the collector."""
        await self._inner.abort(ending.code, ending.details, self.trailing)

    def conclude(self, ending: Ending) -> None:
        """End a stream of answers, by returning after this: nothing is raised, and nothing waits for the collector."""
        self._inner.set_code(ending.code)
        self._inner.set_details(ending.details)
        self.hand_over()

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise Aborted(code, details)

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        raise Aborted(status.code, status.details)

    def is_active(self) -> bool:
        return not self._inner.done()

    def cancel(self) -> bool:
        return False  # a stream without a deadline ends between two messages, see `_in_time`

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self._inner.add_done_callback(lambda *_: callback())  # type: ignore[arg-type]  # the stub wants its alias
        return True

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:  # type: ignore[override]  # the stub says bytes, gRPC lists
        return self._inner.auth_context()

    def invocation_metadata(self) -> Metadata:
        return self._metadata

    def peer(self) -> str:
        return self._inner.peer()

    def peer_identities(self) -> Iterable[bytes] | None:
        return self._identities

    def peer_identity_key(self) -> str | None:
        return self._identity_key

    def send_initial_metadata(self, initial_metadata: Metadata) -> None:
        raise NotImplementedError("no step of ours sends metadata before the answer")

    def set_code(self, code: grpc.StatusCode) -> None:
        self._inner.set_code(code)

    def set_details(self, details: str) -> None:
        self._inner.set_details(details)

    def set_compression(self, compression: grpc.Compression) -> None:
        raise NotImplementedError("answers are not compressed one by one")

    def disable_next_message_compression(self) -> None:
        self._inner.disable_next_message_compression()
