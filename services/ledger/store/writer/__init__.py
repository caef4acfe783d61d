"""The batching writer: the only place of the ledger that opens and commits a posting transaction.

RPC threads queue their wishes and wait. Each bucket belongs to one lane, so two lanes never want the same head; a
lane takes what has gathered, posts it in one transaction and answers every caller after the commit.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Engine

from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals import StillPosting
from services.ledger.domain.wish import Wish
from services.ledger.store.writer.lane import Lane, LaneLimits, Ticket
from services.ledger.store.writer.transaction import Outcome, Posted
from shared.clock import Clock
from shared.refusal import Refusal

__all__ = ["LaneLimits", "Outcome", "Posted", "Writer"]


class Writer:
    """Hands each wish to the lane of its bucket and waits for the outcome."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        programme: Programme,
        bucket_count: int,
        lanes: int = 4,
        limits: LaneLimits | None = None,
    ) -> None:
        limits = limits or LaneLimits()
        self._lanes = [
            Lane(f"writer-{number}", engine, clock, programme, bucket_count, limits) for number in range(lanes)
        ]
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
        tickets = [Ticket(wish, deadline, threading.Event()) for wish in wishes]
        by_lane: dict[int, list[Ticket]] = defaultdict(list)
        for ticket in tickets:
            by_lane[ticket.wish.bucket % len(self._lanes)].append(ticket)
        for lane, mine in by_lane.items():
            try:
                self._lanes[lane].put(mine)
            except Refusal as refusal:
                for ticket in mine:
                    ticket.outcome = refusal
        return [self._waited(ticket, deadline) for ticket in tickets]

    def is_alive(self) -> bool:
        """Whether every bucket has a lane that posts for it."""
        return all(lane.is_alive() for lane in self._lanes)

    def stop(self) -> None:
        """Post what is queued, then end every lane."""
        for lane in self._lanes:
            lane.stop()

    def _waited(self, ticket: Ticket, deadline: float) -> Outcome:
        if ticket.outcome is None:
            ticket.done.wait(max(0.0, deadline - time.monotonic()))
        return ticket.outcome or StillPosting()
