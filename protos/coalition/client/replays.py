"""Whether an answer was given before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import grpc

REPLAY: Final = ("idempotent-replay", "true")


def was_replayed(call: grpc.Call) -> bool:
    """Whether the request id had been answered before: `entry, call = stub.AwardPoints.with_call(request)`."""
    return says_replay(call.trailing_metadata() or ())


def says_replay(trailing: Iterable[tuple[str, str | bytes]]) -> bool:
    """Whether the trailing metadata of a call say so."""
    return REPLAY in {(key, value) for key, value in trailing}
