"""One RPC as our steps and servicers see it: gRPC's context with a caller, an id and a deadline that always exists."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NoReturn

import grpc

from shared.rpc.caller import Caller
from shared.rpc.invalid import InvalidRequest

Metadata = tuple[tuple[str, str | bytes], ...]

DEFAULT_SECONDS = 10.0
_IDS: Final = random.Random()  # noqa: S311  unique, not secret; asking the kernel would hand the interpreter over
_NO_DEADLINE = 3600.0 * 24 * 365  # gRPC says "for ever" as a number of years


class CallContext(grpc.ServicerContext):
    """Delegates to gRPC's own context; what it adds is named here.

    `call_id` names this call, as `x-request-id` says it to the caller; `began` is a reading of `time.perf_counter`.
    `caller` is set when it is authenticated, `spoiled` by validation: the items of a batch that break rules.
    Trailing metadata is gathered: a servicer that sets some does not erase what the steps have set.
    """

    def __init__(self, inner: grpc.ServicerContext, method: str) -> None:
        self.inner = inner
        self.method = method
        self.call_id = f"{_IDS.getrandbits(64):016x}"
        self.began = time.perf_counter()
        self.caller: Caller | None = None
        self.status = grpc.StatusCode.OK
        self.reason: str | None = None
        self.aborted = False
        self.spoiled: Mapping[int, InvalidRequest] = {}
        left = inner.time_remaining()
        self.had_deadline = left < _NO_DEADLINE
        self._until = time.monotonic() + (left if self.had_deadline else DEFAULT_SECONDS)
        self._trailing: dict[str, str | bytes] = {"x-request-id": self.call_id}

    def time_remaining(self) -> float:
        """Seconds until the caller stops waiting; ten at first for one who did not say."""
        return max(self._until - time.monotonic(), 0.0)

    def add_trailing(self, key: str, value: str | bytes) -> None:
        """One more item of trailing metadata."""
        self._trailing[key] = value
        self.send_trailing()

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        self._trailing.update(trailing_metadata)
        self.send_trailing()

    def send_trailing(self) -> None:
        """Hand what was gathered to gRPC."""
        self.inner.set_trailing_metadata(tuple(self._trailing.items()))

    def trailing_metadata(self) -> Metadata:
        return tuple(self._trailing.items())

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        self.aborted = True
        self.status = code
        self.inner.abort(code, details)

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        self.set_trailing_metadata(tuple(status.trailing_metadata or ()))
        self.abort(status.code, status.details)

    def set_code(self, code: grpc.StatusCode) -> None:
        self.status = code
        self.inner.set_code(code)

    def code(self) -> grpc.StatusCode:
        return self.status

    def set_details(self, details: str) -> None:
        self.inner.set_details(details)

    def is_active(self) -> bool:
        return self.inner.is_active()

    def cancel(self) -> bool:
        return self.inner.cancel()

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return self.inner.add_callback(callback)

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:  # type: ignore[override]  # the stub says bytes, gRPC lists
        return self.inner.auth_context()  # type: ignore[return-value]

    def invocation_metadata(self) -> Metadata:
        return self.inner.invocation_metadata()

    def peer(self) -> str:
        return self.inner.peer()

    def peer_identities(self) -> Iterable[bytes] | None:
        return self.inner.peer_identities()

    def peer_identity_key(self) -> str | None:
        return self.inner.peer_identity_key()

    def send_initial_metadata(self, initial_metadata: Metadata) -> None:
        self.inner.send_initial_metadata(initial_metadata)

    def set_compression(self, compression: grpc.Compression) -> None:
        self.inner.set_compression(compression)

    def disable_next_message_compression(self) -> None:
        self.inner.disable_next_message_compression()


def header(call: CallContext, key: str) -> str | None:
    """The value of one metadata key of the request; several are as good as none."""
    found = None
    for name, value in call.invocation_metadata():
        if name == key:
            if found is not None:
                return None
            found = value
    return found if isinstance(found, str) else None


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, rounded up."""
    return math.ceil(seconds * 1000)


def call_id_of(context: grpc.ServicerContext) -> str:
    """The id of this call; empty outside our server."""
    return context.call_id if isinstance(context, CallContext) else ""
