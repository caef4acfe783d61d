"""The batching writer: the only place of the ledger that opens and commits a posting transaction.

Callers queue their wishes and wait. As many lanes as the load is worth share the stripes, so that two of them hardly
ever want the same head; a lane takes what has gathered, posts it in one transaction and answers every caller after the
commit. What belongs to a stripe that another process holds goes there.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals.requests import TooLate
from services.ledger.domain.terms import Policy
from services.ledger.domain.wish import Wish
from services.ledger.store.gauges import UNOBSERVED, Observed
from services.ledger.store.holdings import AllMine, Holdings, StripeMoved
from services.ledger.store.partitions import Partitions
from services.ledger.store.stripes import stripe_count, stripe_of
from services.ledger.store.waking import Waiter, woken
from services.ledger.store.writer.batch import Outcome, Posted
from services.ledger.store.writer.calls import Call, Ticket, answer
from services.ledger.store.writer.lane import Lane, LaneLimits
from services.ledger.store.writer.memory import Memory
from services.ledger.store.writer.posting import Posting
from services.ledger.store.writer.transaction import Poster, no_policies
from services.ledger.store.writer.width import Width
from shared.clock import Clock
from shared.refusal import Refusal

if TYPE_CHECKING:
    from services.ledger.store.peers import Elsewhere

__all__ = ["LaneLimits", "Outcome", "Posted", "Writer"]

_MOVED_PAUSE_SECONDS = 0.02


class Writer:
    """Hands each wish to the lane of its stripe, or to the process that has the stripe, and waits for the outcome.

    `peers` is set by whoever makes them, for they need a writer first; without any, what is not ours has to wait.
    `remembered`: request ids kept in memory, so that a repeat costs a look at its entry, not a batch done twice.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        programme: Programme,
        bucket_count: int,
        lanes: int = 4,
        limits: LaneLimits | None = None,
        *,
        holdings: Holdings | None = None,
        policies: Callable[[], Mapping[str, Policy]] = no_policies,
        partitions: Partitions | None = None,
        observed: Observed = UNOBSERVED,
        remembered: int = 50_000,
    ) -> None:
        self.peers: Elsewhere | None = None
        self._holdings = holdings or AllMine(bucket_count)
        self._stripes = stripe_count(bucket_count)
        limits, partitions, memory = limits or LaneLimits(), partitions or Partitions(), Memory(remembered)
        self._lanes = [
            Lane(
                f"writer-{number}",
                Posting(engine, clock, Poster(programme, bucket_count, policies, memory), self._holdings, partitions),
                limits,
                observed,
            )
            for number in range(lanes)
        ]
        self._width = Width(lanes)
        for lane in self._lanes:
            lane.start()

    def post(self, wish: Wish, within: float) -> Posted:
        """The entry that the wish became, now or before. Raises the refusal otherwise.

        `within` is in seconds; past it a wish that was not begun is dropped, and StillPosting is raised for one that
        was: it may yet be posted, and a repeat with its request id tells.
        """
        (outcome,) = self.post_all([wish], within)
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    def post_all(self, wishes: Sequence[Wish], within: float) -> list[Outcome]:
        """Outcomes in the order of the wishes. Wishes of one bucket are posted in their order."""
        deadline = time.monotonic() + within
        ours, others = self._sorted(wishes)
        call = self._queued([wishes[index] for index in ours], within)
        outcomes: dict[int, Outcome] = {}
        if others:
            outcomes |= zip(others, self._elsewhere([wishes[index] for index in others], deadline), strict=True)
        outcomes |= zip(ours, call.waited(), strict=True)
        moved = [index for index in ours if isinstance(outcomes[index], StripeMoved)]
        if moved:
            outcomes |= zip(moved, self._elsewhere([wishes[index] for index in moved], deadline), strict=True)
        return [outcomes[index] for index in range(len(wishes))]

    async def answered(self, wishes: Sequence[Wish], within: float) -> list[Outcome]:
        """The same for whoever waits on an event loop."""
        deadline = time.monotonic() + within
        ours, others = self._sorted(wishes)
        away = asyncio.ensure_future(self._sent_away([wishes[index] for index in others], deadline)) if others else None
        outcomes = await self.answered_here([wishes[index] for index in ours] if others else wishes, within)
        moved = [index for index, outcome in zip(ours, outcomes, strict=True) if isinstance(outcome, StripeMoved)]
        if away is None and not moved:
            return outcomes
        found = dict(zip(ours, outcomes, strict=True))
        if away is not None:
            found |= zip(others, await away, strict=True)
        if moved:
            found |= zip(moved, await self._sent_away([wishes[index] for index in moved], deadline), strict=True)
        return [found[index] for index in range(len(wishes))]

    async def answered_here(self, wishes: Sequence[Wish], within: float) -> list[Outcome]:
        """As post_here, for whoever waits on an event loop."""
        if not wishes:
            return []
        waiter = asyncio.get_running_loop().create_future()
        call = self._queued(wishes, within, waiter)
        await woken(waiter, within)
        return call.settled()

    def post_here(self, wishes: Sequence[Wish], within: float) -> list[Outcome]:
        """By our own lanes only: StripeMoved for what is not ours, or not any more."""
        return self._queued(wishes, within).waited()

    @property
    def waiting(self) -> int:
        """Wishes in all queues."""
        return sum(lane.waiting for lane in self._lanes)

    def is_alive(self) -> bool:
        """Whether every stripe has a lane that posts for it."""
        return all(lane.is_alive() for lane in self._lanes)

    def stop(self) -> None:
        """Post what is queued, then end every lane."""
        for lane in self._lanes:
            lane.stop()

    def _sorted(self, wishes: Sequence[Wish]) -> tuple[Sequence[int], Sequence[int]]:
        """Which of them are for our lanes, and which are for others."""
        held = self._holdings.held()
        if len(held) == self._stripes:
            return range(len(wishes)), ()
        ours = [index for index, wish in enumerate(wishes) if stripe_of(wish.bucket, self._stripes) in held]
        return ours, sorted(set(range(len(wishes))) - set(ours))

    def _queued(self, wishes: Sequence[Wish], within: float, future: Waiter | None = None) -> Call:
        call = Call(wishes, within, future)
        width = self._width.of(sum(lane.load for lane in self._lanes) + len(wishes))
        by_lane: dict[int, list[Ticket]] = defaultdict(list)
        for index, wish in enumerate(wishes):
            by_lane[stripe_of(wish.bucket, self._stripes) % width].append((call, index))
        for number, tickets in by_lane.items():
            try:
                self._lanes[number].put(tickets)
            except Refusal as refusal:
                answer(tickets, [refusal] * len(tickets))
        return call

    async def _sent_away(self, wishes: Sequence[Wish], deadline: float) -> list[Outcome]:
        """As _elsewhere, for whoever waits on an event loop: in threads that no call of a peer needs."""
        if self.peers is not None:
            return await self.peers.answered(wishes, deadline)
        return await asyncio.get_running_loop().run_in_executor(None, self._elsewhere, wishes, deadline)

    def _elsewhere(self, wishes: Sequence[Wish], deadline: float) -> list[Outcome]:
        """By whoever has their stripes."""
        if self.peers is not None:
            return self.peers.post(wishes, deadline)
        outcomes: list[Outcome] = [StripeMoved()] * len(wishes)
        while (left := [n for n, outcome in enumerate(outcomes) if isinstance(outcome, StripeMoved)]) and (
            within := deadline - time.monotonic()
        ) > 0:
            self._holdings.look()
            for index, outcome in zip(left, self.post_here([wishes[n] for n in left], within), strict=True):
                outcomes[index] = outcome
            time.sleep(min(_MOVED_PAUSE_SECONDS, max(0.0, deadline - time.monotonic())))
        return [TooLate() if isinstance(outcome, StripeMoved) else outcome for outcome in outcomes]
