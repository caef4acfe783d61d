"""Between processes of one ledger: wishes there, entries and refusals back, over mTLS like everything else."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import grpc
from coalition.ledger.v1 import peers_pb2 as pb
from coalition.ledger.v1 import peers_pb2_grpc as rpc

from services.ledger.api.outcomes import outcome_from, outcome_pb
from services.ledger.domain.wish import Wish
from services.ledger.domain.wish_text import NotAWish, read, spelled
from services.ledger.store.holdings import StripeMoved
from services.ledger.store.peers import PeerAway
from services.ledger.store.writer import Outcome
from shared.log import get_logger
from shared.refusal import Kind
from shared.rpc.call import call_id_of
from shared.rpc.channel import calling_metadata
from shared.rpc.deadline import time_left
from shared.rpc.remote import remote_refusal

log = get_logger()

_MOST_BYTES: Final = 3_000_000
"""Of wishes in one call; a server takes 4 MiB."""
_LOOK_SECONDS: Final = 0.2
_NOT_BEGUN: Final = frozenset({Kind.TOO_MUCH, Kind.NOT_ALLOWED, Kind.UNAUTHENTICATED, Kind.MALFORMED})
"""A call that failed like this was not looked at."""

Open = Callable[[str], grpc.Channel]
HereLater = Callable[[Sequence[Wish], float], Awaitable[Sequence[Outcome]]]
"""Our own lanes, for whoever waits on an event loop."""


class PeerServicer(rpc.PeerServiceServicer):
    """Posts for other processes, in our own lanes only: a wish travels once."""

    def __init__(self, here: HereLater) -> None:
        self._here = here

    async def Post(self, request: pb.PostRequest, context: grpc.ServicerContext) -> pb.PostResponse:
        read_ = [_wish(text) for text in request.wishes]
        outcomes = iter(await self._here([wish for wish in read_ if wish is not None], time_left(context)))
        answers = [StripeMoved() if wish is None else next(outcomes) for wish in read_]
        call_id = call_id_of(context)
        return pb.PostResponse(outcomes=[outcome_pb(outcome, call_id) for outcome in answers])


class PeerCalls:
    """Calls to peers. A channel lives until a call fails: the next one takes a fresh leaf and a fresh connection."""

    def __init__(self, open_: Open) -> None:
        self._open = open_
        self._channels: dict[str, grpc.Channel] = {}
        self._changing = threading.Lock()

    def send(self, address: str, wishes: Sequence[Wish], within: float, is_there: Callable[[], bool]) -> list[Outcome]:
        """What the peer answered. Raises PeerAway, at the latest when it `is_there` no more."""
        channel = self._channel(address)
        stub = rpc.PeerServiceStub(channel)
        found: list[Outcome] = []
        for texts in _parts([spelled(wish) for wish in wishes]):
            call = stub.Post.future(pb.PostRequest(wishes=texts), timeout=within, metadata=calling_metadata())
            try:
                found += [outcome_from(one) for one in _awaited(call, is_there).outcomes]
            except grpc.RpcError as error:
                self._close(address, channel)
                refusal = remote_refusal(error)
                log.warning("peer away", address=address, reason=refusal.reason)
                raise PeerAway(perhaps=bool(found) or refusal.kind not in _NOT_BEGUN) from error
            except grpc.FutureCancelledError:
                self._close(address, channel)
                log.warning("peer asleep", address=address)
                raise PeerAway(perhaps=True) from None
        return found

    def close(self) -> None:
        """Hang up everywhere."""
        for address, channel in list(self._channels.items()):
            self._close(address, channel)

    def _channel(self, address: str) -> grpc.Channel:
        with self._changing:
            if address not in self._channels:
                self._channels[address] = self._open(address)
            return self._channels[address]

    def _close(self, address: str, channel: grpc.Channel) -> None:
        with self._changing:
            if self._channels.get(address) is channel:
                del self._channels[address]
        channel.close()


def _awaited(call: grpc.Future[pb.PostResponse], is_there: Callable[[], bool]) -> pb.PostResponse:
    """A peer that sleeps answers nothing, and gRPC does not notice: somebody has to look."""
    while True:
        try:
            return call.result(timeout=_LOOK_SECONDS)
        except grpc.FutureTimeoutError:
            if not is_there():
                call.cancel()


def _parts(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The wishes in their order, as much at once as a server takes."""
    part: list[bytes] = []
    size = 0
    for text in texts:
        if part and size + len(text) > _MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    yield part


def _wish(text: bytes) -> Wish | None:
    """None for what a newer process wishes: one of its own kind will take the stripe."""
    try:
        return read(text)
    except NotAWish:
        log.warning("a wish that we do not know", size=len(text))
        return None
