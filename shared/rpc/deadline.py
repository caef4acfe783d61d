"""Deadlines: every call has one, and we keep a little of it back so that we can say what was late."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from shared.refusal import Kind, Refusal
from shared.rpc.call import CallContext, milliseconds

KEPT_BACK_SECONDS = 0.020
LEAST_SECONDS = 0.100


class TooLittleTime(Refusal):
    """The call arrived, or got here, with less time than any work needs."""

    kind = Kind.TOO_LATE
    message = "{left_ms} ms are left of the call's deadline; it takes at least {least_ms} ms."
    remedy = "Repeat the call with the same request id and a longer deadline."


class TimeIsUp(Refusal):
    """The deadline passed while we were answering."""

    kind = Kind.TOO_LATE
    message = "The call's deadline passed before the work was done."
    remedy = "Repeat the call with the same request id and a longer deadline."


def time_left(context: grpc.ServicerContext) -> float:
    """Seconds that work may take, what we keep back already taken off; never negative."""
    return max(context.time_remaining() - KEPT_BACK_SECONDS, 0.0)


def deadline(call: CallContext) -> None:
    """The check: refuse what is too late already."""
    left = call.time_remaining()
    if left < LEAST_SECONDS:
        raise TooLittleTime(left_ms=milliseconds(left), least_ms=milliseconds(LEAST_SECONDS))


@contextmanager
def ended_in_time(call: CallContext) -> Iterator[None]:
    """gRPC ends a stream at the caller's deadline. When the caller named none, we do: each stream holds a thread."""
    if call.had_deadline:
        yield
        return
    timer = threading.Timer(call.time_remaining(), call.cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
