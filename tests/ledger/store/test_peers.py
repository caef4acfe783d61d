"""Wishes for others: they reach whoever has the stripe now, once, or the caller is told honestly what is known."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from uuid import UUID, uuid4

import pytest

from services.ledger.domain.entry import Balance, Entry, EntryKind
from services.ledger.domain.refusals.requests import QueueFull, StillPosting, TooLate
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import RedeemWish, TendWish, Wish
from services.ledger.store.holdings import StripeMoved
from services.ledger.store.peers import PeerAway, Peers
from services.ledger.store.peers.courier import CALLS
from services.ledger.store.stripes import stripe_of
from services.ledger.store.writer import Outcome, Posted
from tests.support.together import at_once, until

BUCKETS = STRIPES = 16
WALLET = UUID(int=1)


def wish(bucket: int, points: int = 5) -> RedeemWish:
    return RedeemWish(bucket=bucket, partner="grocer", request_id=uuid4(), wallet=WALLET, points=points)


class Town:
    """Processes in memory: who has which stripe, and one journal. `us` asks; what happens to the others a test says."""

    def __init__(self) -> None:
        self.holder: dict[int, str | None] = dict.fromkeys(range(STRIPES), "b")
        self.posted: dict[UUID, Entry] = {}
        self.asked: list[tuple[str, list[Wish]]] = []
        self.away: set[str] = set()
        self.answers_get_lost: set[str] = set()
        self.asleep = threading.Event()
        self.accidents: list[Exception] = []
        self.looks = 0
        self.on_look: Callable[[], None] = lambda: None
        self._journal = threading.Lock()

    # As our leases see it.

    def held(self) -> dict[int, int]:
        return {stripe: 1 for stripe, name in self.holder.items() if name == "us"}

    def holder_of(self, stripe: int) -> str | None:
        name = self.holder[stripe]
        return None if name == "us" else name

    def fenced(self, stripe: int, epoch: int) -> None:
        self.holder[stripe] = None

    def look(self) -> None:
        self.looks += 1
        self.on_look()

    # As our lanes and our peers answer.

    def post_here(self, wishes: Sequence[Wish], within: float) -> list[Outcome]:
        return self._posted("us", wishes)

    async def answered_here(self, wishes: Sequence[Wish], within: float) -> list[Outcome]:
        return self._posted("us", wishes)

    def send(self, address: str, wishes: Sequence[Wish], within: float, is_there: Callable[[], bool]) -> list[Outcome]:
        self.asked.append((address, list(wishes)))
        if self.accidents:
            raise self.accidents.pop()
        if address in self.away:
            raise PeerAway(perhaps=False)
        outcomes = self._posted(address, wishes)
        while self.asleep.is_set() and is_there():
            time.sleep(0.01)
        if address in self.answers_get_lost or self.asleep.is_set():
            raise PeerAway(perhaps=True)
        return outcomes

    def _posted(self, name: str, wishes: Sequence[Wish]) -> list[Outcome]:
        with self._journal:
            return [self._outcome(name, wish) for wish in wishes]

    def _outcome(self, name: str, wish: Wish) -> Outcome:
        if self.holder[stripe_of(wish.bucket, STRIPES)] != name:
            return StripeMoved()
        if isinstance(wish, RedeemWish) and wish.points > 1000:
            return InsufficientPoints(available=1000, requested=wish.points, max_redeemable_points=1000)
        if known := self.posted.get(wish.request_id):
            return Posted(known, replay=True)
        entry = Entry(
            bucket=wish.bucket,
            seq=len(self.posted) + 1,
            kind=EntryKind.REDEMPTION,
            wallet=WALLET,
            partner=wish.partner,
            request_id=wish.request_id,
            request_hash=wish.request_hash,
            points=1,
            postings=(),
            balance=Balance(),
            occurred_at=0,
            posted_at=0,
        )
        self.posted[wish.request_id] = entry
        return Posted(entry)


@pytest.fixture
def town() -> Town:
    return Town()


class OnLoop(Peers):
    """Each caller waits on an event loop."""

    def post(self, wishes: Sequence[Wish], deadline: float) -> list[Outcome]:
        return asyncio.run(self.answered(wishes, deadline))


@pytest.fixture(params=[Peers, OnLoop], ids=["in a thread", "on a loop"])
def peers(town: Town, request: pytest.FixtureRequest) -> Iterator[Peers]:
    made: Peers = request.param(town, BUCKETS, town, town.send, callers=100)
    yield made
    town.asleep.clear()
    made.stop()


def post(peers: Peers, wishes: Sequence[Wish], seconds: float = 30.0) -> list[Outcome]:
    return peers.post(wishes, time.monotonic() + seconds)


def test_each_wish_goes_to_its_holder_and_outcomes_keep_their_order(town: Town, peers: Peers) -> None:
    town.holder |= {1: "c", 2: "us"}
    wishes = [wish(bucket) for bucket in (0, 1, 2, 3, 1, 0)] + [wish(0, points=2000)]
    outcomes = post(peers, wishes)
    assert [one.entry.bucket for one in outcomes if isinstance(one, Posted)] == [0, 1, 2, 3, 1, 0]
    assert isinstance(outcomes[-1], InsufficientPoints)
    assert sorted(address for address, _ in town.asked) == ["b", "c"]
    by_bucket = [asked.request_id for _, some in town.asked for asked in some if asked.bucket == 0]
    assert by_bucket == [one.request_id for one in wishes if one.bucket == 0]


def test_a_stripe_that_moved_is_followed(town: Town, peers: Peers) -> None:
    town.holder[4] = "c"
    believed = iter(["b", "c"])
    town.holder_of = lambda stripe: next(believed)  # type: ignore[method-assign]  # what we knew, then what we know
    (outcome,) = post(peers, [wish(4)])
    assert isinstance(outcome, Posted)
    assert [address for address, _ in town.asked] == ["b", "c"]
    assert town.looks == 1


def test_a_stripe_that_became_ours_meanwhile_is_posted_here(town: Town, peers: Peers) -> None:
    town.away.add("b")
    town.on_look = lambda: town.holder.update({4: "us"})
    (outcome,) = post(peers, [wish(4)])
    assert isinstance(outcome, Posted)


def test_without_a_holder_it_waits_for_one(town: Town, peers: Peers) -> None:
    town.holder[4] = None
    threading.Timer(0.3, lambda: town.holder.update({4: "c"})).start()
    (outcome,) = post(peers, [wish(4)])
    assert isinstance(outcome, Posted)


def test_with_nobody_asked_until_the_deadline_nothing_happened(town: Town, peers: Peers) -> None:
    town.holder[4] = None
    town.away.add("b")
    began = time.monotonic()
    outcomes = post(peers, [wish(4), wish(5)], seconds=0.4)
    assert [type(outcome) for outcome in outcomes] == [TooLate, TooLate]
    assert 0.3 < time.monotonic() - began < 5
    assert not town.posted


def test_an_answer_that_got_lost_is_asked_for_again(town: Town, peers: Peers) -> None:
    town.answers_get_lost.add("b")
    town.on_look = town.answers_get_lost.clear
    asked = wish(4)
    assert post(peers, [asked]) == [Posted(town.posted[asked.request_id], replay=True)]


def test_a_peer_that_may_have_posted_leaves_its_callers_in_honest_doubt(town: Town, peers: Peers) -> None:
    town.answers_get_lost.add("b")
    (outcome,) = post(peers, [wish(4)], seconds=0.4)
    assert isinstance(outcome, StillPosting)


def test_a_peer_that_was_late_after_a_doubtful_attempt_does_not_say_that_nothing_happened(
    town: Town, peers: Peers
) -> None:
    town.answers_get_lost.add("b")

    def late() -> None:
        town.answers_get_lost.clear()
        town._outcome = lambda name, wish: TooLate()  # type: ignore[method-assign]

    town.on_look = late
    (outcome,) = post(peers, [wish(4)])
    assert isinstance(outcome, StillPosting)


def test_a_sleeping_peer_is_left_for_whoever_takes_its_stripes(town: Town, peers: Peers) -> None:
    town.asleep.set()

    def taken_over() -> None:
        town.holder[4] = "us"

    threading.Timer(0.3, taken_over).start()
    asked = wish(4)
    began = time.monotonic()
    assert post(peers, [asked]) == [Posted(town.posted[asked.request_id], replay=True)]
    assert time.monotonic() - began < 15


def test_what_waits_for_a_peer_travels_together(town: Town, peers: Peers) -> None:
    def all_wait() -> bool:
        waiting = sum(len(courier._waiting) for courier in peers._couriers.values())
        return sum(len(some) for _, some in town.asked) + waiting == 60

    def answer() -> list[Outcome]:
        until(all_wait)
        town.asleep.clear()
        return []

    town.asleep.set()
    acts: list[Callable[[], list[Outcome]]] = [
        *(partial(post, peers, [wish(number % STRIPES)], seconds=60) for number in range(60)),
        answer,
    ]
    *outcomes, _ = at_once(acts)
    assert all(isinstance(outcome, Posted) for (outcome,) in outcomes)
    assert len(town.asked) <= CALLS + 1
    assert sum(len(some) for _, some in town.asked) == 60


def test_whoever_comes_when_too_many_wait_is_told_so_at_once(town: Town) -> None:
    crowded = Peers(town, BUCKETS, town, town.send, callers=1)
    town.asleep.set()
    first = threading.Thread(target=partial(post, crowded, [wish(4)]))
    first.start()
    until(lambda: bool(town.asked))
    (outcome,) = post(crowded, [wish(5)])
    assert isinstance(outcome, QueueFull)
    town.asleep.clear()
    first.join()
    crowded.stop()


def test_whoever_must_not_block_waits_on_the_loop(town: Town, peers: Peers) -> None:
    async def both() -> list[list[Outcome]]:
        deadline = time.monotonic() + 30
        return await asyncio.gather(*(peers.answered([wish(bucket)], deadline) for bucket in (1, 2)))

    assert all(isinstance(outcome, Posted) for (outcome,) in asyncio.run(both()))


def test_an_accident_in_a_call_leaves_doubt_and_the_next_call_works(town: Town, peers: Peers) -> None:
    town.accidents.append(ValueError("no entry that we know"))
    (outcome,) = post(peers, [wish(4)])
    assert isinstance(outcome, Posted)
    assert len(town.asked) == 2


def test_the_clocks_work_travels_like_any_other(town: Town, peers: Peers) -> None:
    tend = TendWish(bucket=3, partner="operator", request_id=uuid4(), wallet=WALLET)
    assert len(post(peers, [tend])) == 1
