"""Wishes for buckets that another process posts for: brought there, and their outcomes brought back.

A peer may die, sleep or give its stripes away while we ask it. Then we look who has them now, until the caller's
deadline: request ids make it safe to ask twice. What waits for one peer travels together.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from services.ledger.domain.refusals.requests import QueueFull
from services.ledger.domain.wish import Wish
from services.ledger.store.holdings import Holdings
from services.ledger.store.peers.courier import CALLS, Courier, Parcel, PeerAway
from services.ledger.store.peers.trip import HERE, Trip
from services.ledger.store.stripes import MOST, stripe_count, stripe_of
from services.ledger.store.writer.batch import Outcome

__all__ = ["Elsewhere", "PeerAway", "Peers", "Posts", "Send"]

_RETRY_MS: Final = 500


class Elsewhere(Protocol):
    """Whoever gets wishes posted that this process may not post itself."""

    def post(self, wishes: Sequence[Wish], deadline: float) -> list[Outcome]:
        """Outcomes in the order of the wishes. `deadline` is a reading of time.monotonic."""

    async def answered(self, wishes: Sequence[Wish], deadline: float) -> list[Outcome]:
        """The same for whoever waits on an event loop."""


class Posts(Protocol):
    """Our own lanes: StripeMoved for what is not ours."""

    def post_here(self, wishes: Sequence[Wish], within: float) -> list[Outcome]:
        """Outcomes within so many seconds."""

    def answered_here(self, wishes: Sequence[Wish], within: float) -> Awaitable[list[Outcome]]:
        """The same for whoever waits on an event loop."""


class Send(Protocol):
    """One call to a peer."""

    def __call__(
        self, address: str, wishes: Sequence[Wish], within: float, is_there: Callable[[], bool]
    ) -> list[Outcome]:
        """What the peer answered. Raises PeerAway, at the latest when it `is_there` no more."""


class Peers:
    """Posts elsewhere. At most `callers` threads wait at once: more would leave none to answer our peers with."""

    def __init__(self, holdings: Holdings, bucket_count: int, lanes: Posts, send: Send, callers: int = 16) -> None:
        self._holdings = holdings
        self._stripes = stripe_count(bucket_count)
        self._lanes = lanes
        self._send = send
        self._seats = threading.BoundedSemaphore(callers)
        self._couriers: dict[str, Courier] = {}
        self._threads = ThreadPoolExecutor(CALLS * MOST, thread_name_prefix="courier")

    def post(self, wishes: Sequence[Wish], deadline: float) -> list[Outcome]:
        """Outcomes in the order of the wishes; StillPosting where a peer may have posted, TooLate where none has."""
        if not self._seats.acquire(blocking=False):
            return [QueueFull(waiting=len(wishes), retry_after_ms=_RETRY_MS)] * len(wishes)
        try:
            return self._posted(Trip(wishes, deadline))
        finally:
            self._seats.release()

    def _posted(self, trip: Trip) -> list[Outcome]:
        while trip.goes_on():
            asked = trip.by_address(self._holdings, self._stripes)
            ours = asked.pop(HERE, [])
            sent = [
                (some, self._sent(address, Parcel(trip.of(some), trip.deadline))) for address, some in asked.items()
            ]
            if ours:
                trip.take(ours, self._lanes.post_here(trip.of(ours), trip.within))
            for some, parcel in sent:
                parcel.waited()
                trip.brought(some, parcel)
            if trip.goes_on():
                self._holdings.look()
                time.sleep(trip.pause())
        return trip.outcomes()

    async def answered(self, wishes: Sequence[Wish], deadline: float) -> list[Outcome]:
        """The same for whoever waits on an event loop."""
        trip, loop = Trip(wishes, deadline), asyncio.get_running_loop()
        while trip.goes_on():
            asked = trip.by_address(self._holdings, self._stripes)
            ours = asked.pop(HERE, [])
            sent = [
                (some, self._sent(address, Parcel(trip.of(some), deadline, loop.create_future())))
                for address, some in asked.items()
            ]
            if ours:
                trip.take(ours, await self._lanes.answered_here(trip.of(ours), trip.within))
            for some, parcel in sent:
                await parcel.answered()
                trip.brought(some, parcel)
            if trip.goes_on():
                self._holdings.look()
                await asyncio.sleep(trip.pause())
        return trip.outcomes()

    def stop(self) -> None:
        """Nobody asks any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _sent(self, address: str, parcel: Parcel) -> Parcel:
        courier = self._couriers.get(address) or self._couriers.setdefault(address, self._courier(address))
        courier.put(parcel)
        return parcel

    def _courier(self, address: str) -> Courier:
        def is_there(wishes: Sequence[Wish]) -> bool:
            stripes = {stripe_of(wish.bucket, self._stripes) for wish in wishes}
            return any(self._holdings.holder_of(stripe) == address for stripe in stripes)

        def send(wishes: Sequence[Wish], within: float) -> list[Outcome]:
            return self._send(address, wishes, within, lambda: is_there(wishes))

        return Courier(send, self._threads)
