"""A refused request is let go at once: what waits for the collector is the whole request, once for each refusal."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest
from grpc.aio import AbortError

from shared.refusal import Kind, Refusal
from shared.rpc.invalid import InvalidRequest
from tests.shared.rpc.conftest import Running
from tests.shared.rpc.echo import Words
from tests.shared.rpc.refused import refused
from tests.support.together import until

ARITIES = ["say", "wait", "count", "gather", "talk", "chat"]
STREAMED = {"gather", "talk", "chat"}
ANSWERING_STREAMS = ["count", "talk", "chat"]


class Overdrawn(Refusal):
    """What a service refuses, after it has the request."""

    kind = Kind.NOT_NOW
    message = "No."
    remedy = "Wait."


Kept = Callable[[type[Exception]], int]


@pytest.fixture
def kept() -> Iterator[Kept]:
    """How many of a kind there are that were not there before, while the collector sleeps."""
    gc.collect()
    gc.disable()
    gc.freeze()  # what other tests keep is not among the objects that are looked through
    yield lambda kind: sum(isinstance(thing, kind) for thing in gc.get_objects())
    gc.unfreeze()
    gc.enable()


def ask(running: Running, method: str, *requests: Words) -> str:
    """Why it was refused; several requests where the method reads a stream, else the last."""
    asked = iter(requests) if method in STREAMED else requests[-1]
    return refused(getattr(running.service(), method), asked).reason


@pytest.mark.parametrize("method", ARITIES)
def test_of_a_request_that_is_not_valid_nothing_waits_for_the_collector(
    running: Running, kept: Kept, method: str
) -> None:
    for _ in range(5):
        assert ask(running, method, Words()) == "INVALID_REQUEST"
        assert ask(running, method, Words(text="a"), Words()) == "INVALID_REQUEST"
    until(lambda: kept(InvalidRequest) == 0)


@pytest.mark.parametrize("method", ARITIES)
def test_of_a_request_that_the_service_refuses_nothing_waits_for_the_collector(
    running: Running, kept: Kept, method: str
) -> None:
    def refuse(_request: Words, _context: object) -> Words:
        raise Overdrawn

    running.echo.behaviour = refuse
    for _ in range(5):
        assert ask(running, method, Words(text="a", numbers=[1])) == "OVERDRAWN"
    until(lambda: kept(Overdrawn) == 0)


@pytest.mark.parametrize("method", ANSWERING_STREAMS)
def test_a_refused_stream_of_answers_leaves_no_frames_to_the_collector(
    running: Running, kept: Kept, method: str
) -> None:
    """gRPC keeps the exception with which a call is ended, and that its frames, which hold the call: a ring each."""
    for _ in range(5):
        assert ask(running, method, Words()) == "INVALID_REQUEST"
    until(lambda: kept(AbortError) == 0 and kept(InvalidRequest) == 0)
