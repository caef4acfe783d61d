"""Between processes of a ledger, over real gRPC: what one wishes and the other answers is the same at both ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from coalition.ledger.v1 import peers_pb2 as pb
from coalition.ledger.v1 import peers_pb2_grpc as rpc
from hypothesis import given

from services.ledger.access import ACCESS, METHOD_BYTES
from services.ledger.api.outcomes import outcome_from, outcome_pb
from services.ledger.api.peers import PeerCalls, PeerServicer
from services.ledger.domain.entry import Entry
from services.ledger.domain.refusals.requests import QueueFull, RequestIdReused
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import AwardWish, Line, Wish
from services.ledger.store.holdings import StripeMoved
from services.ledger.store.peers import PeerAway
from services.ledger.store.writer import Outcome, Posted
from shared.db.errors import DatabaseUnavailable
from shared.refusal import Kind, Refusal
from shared.rpc.channel import peer_channel
from shared.rpc.refusals import InternalFault
from shared.rpc.server import Limits, build_server
from tests.ledger.domain.entries import entries
from tests.shared.home import StillClock, TestHome

SERVICE = pb.DESCRIPTOR.services_by_name["PeerService"].full_name
SECONDS = 10.0


def wish(points: int = 5) -> AwardWish:
    return AwardWish(
        bucket=1, partner="grocer", request_id=uuid4(), wallet=UUID(int=9), lines=(Line("grocer", points),)
    )


def there() -> bool:
    return True


class Peer:
    """The other process: it answers as a test says, and remembers what it was asked."""

    def __init__(self, home: TestHome) -> None:
        self.home = home
        self.asked: list[Wish] = []
        self.answer: Callable[[Wish], Outcome] = lambda wish: StripeMoved()
        self.server, port = build_server(
            name="ledger",
            settings=home.settings(),
            clock=StillClock(),
            access={method: roles for method, roles in ACCESS.items() if SERVICE in method},
            register=lambda server: rpc.add_PeerServiceServicer_to_server(PeerServicer(self._here), server),
            service_names=[SERVICE],
            limits=Limits(waiting_calls=100, per_method_bytes=METHOD_BYTES),
        )
        self.address = f"127.0.0.1:{port}"
        self.server.start()

    async def _here(self, wishes: Sequence[Wish], within: float) -> list[Outcome]:
        self.asked += wishes
        return [await asyncio.to_thread(self.answer, wish) for wish in wishes]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> TestHome:
    folder: Path = tmp_path_factory.mktemp("peers")
    return TestHome(folder)


@pytest.fixture
def peer(home: TestHome) -> Iterator[Peer]:
    made = Peer(home)
    yield made
    made.server.stop(None).wait()


@pytest.fixture
def calls(home: TestHome) -> Iterator[PeerCalls]:
    made = PeerCalls(lambda address: peer_channel(address, home.settings()))
    yield made
    made.close()


def test_wishes_arrive_as_they_were_wished_and_each_gets_its_outcome(peer: Peer, calls: PeerCalls) -> None:
    wishes = [wish(points) for points in (1, 2, 3)]
    refused = RequestIdReused(request_id=wishes[1].request_id, entry="partners/grocer/entries/0-1")
    answers = iter([StripeMoved(), refused, QueueFull(waiting=7, retry_after_ms=500)])
    peer.answer = lambda asked: next(answers)
    outcomes = calls.send(peer.address, wishes, SECONDS, there)
    assert peer.asked == wishes
    assert [type(outcome) for outcome in outcomes] == [StripeMoved, RequestIdReused, QueueFull]
    assert str(outcomes[1]) == str(refused)
    assert outcomes[2].facts == {"waiting": 7, "retry_after_ms": 500}  # type: ignore[union-attr]


@given(entry=entries())
def test_an_entry_comes_back_as_it_stands_in_the_journal(entry: Entry) -> None:
    for replay in (False, True):
        assert outcome_from(outcome_pb(Posted(entry, replay), "call")) == Posted(entry, replay)


@pytest.mark.parametrize(
    "refusal",
    [
        InsufficientPoints(available=20, requested=450, max_redeemable_points=400),
        RequestIdReused(request_id=uuid4(), entry="007"),
        DatabaseUnavailable(retry_after_ms=500),
        StripeMoved(),
    ],
    ids=lambda refusal: refusal.reason,
)
def test_a_refusal_comes_back_as_the_one_it_was(refusal: Refusal) -> None:
    back = outcome_from(outcome_pb(refusal, "call"))
    assert isinstance(back, type(refusal))
    assert (back.kind, str(back), back.advice, back.metadata) == (
        refusal.kind,
        str(refusal),
        refusal.advice,
        refusal.metadata,
    )


def test_a_bug_over_there_stays_a_number_over_here() -> None:
    class Oops(Refusal):
        kind = Kind.BUG
        message = "The secret is {secret}."

    back = outcome_from(outcome_pb(Oops(secret="42"), "call-17"))
    assert isinstance(back, InternalFault)
    assert back.facts == {"incident": "call-17"}


def test_a_refusal_that_only_a_newer_process_knows_is_passed_on_whole() -> None:
    class NewsFromTomorrow(Refusal):
        kind = Kind.NOT_NOW
        message = "Not before {day}."

    back = outcome_from(outcome_pb(NewsFromTomorrow(day="Monday"), "call"))
    assert (back.reason, back.kind, back.metadata) == ("NEWS_FROM_TOMORROW", Kind.NOT_NOW, {"day": "Monday"})  # type: ignore[union-attr]


def test_many_large_wishes_travel_in_several_calls_and_keep_their_order(peer: Peer, calls: PeerCalls) -> None:
    lines = tuple(Line("grocer", 1, campaign="c" * 64) for _ in range(400))
    wishes = [
        AwardWish(bucket=1, partner="grocer", request_id=uuid4(), wallet=UUID(int=9), lines=lines) for _ in range(200)
    ]
    outcomes = calls.send(peer.address, wishes, SECONDS, there)
    assert len(outcomes) == len(wishes)
    assert [one.request_id for one in peer.asked] == [one.request_id for one in wishes]


def test_nobody_but_the_ledger_may_ask(peer: Peer, home: TestHome) -> None:
    leaf = home.authority.service("catalogue")
    stranger = home.settings(certificate_file=leaf.certificate_file, key_file=leaf.key_file)
    calls = PeerCalls(lambda address: peer_channel(address, stranger))
    with pytest.raises(PeerAway) as away:
        calls.send(peer.address, [wish()], SECONDS, there)
    assert not away.value.perhaps
    assert peer.asked == []


def test_a_peer_that_is_not_there_is_away_at_once(calls: PeerCalls, peer: Peer) -> None:
    peer.server.stop(None).wait()
    began = time.monotonic()
    with pytest.raises(PeerAway):
        calls.send(peer.address, [wish()], SECONDS, there)
    assert time.monotonic() - began < SECONDS / 2


def test_a_peer_that_sleeps_is_left_when_its_stripes_are_elsewhere(peer: Peer, calls: PeerCalls) -> None:
    awake, gone = threading.Event(), threading.Event()

    def sleeping(asked: Wish) -> Outcome:
        gone.set()
        awake.wait(SECONDS)
        return StripeMoved()

    peer.answer = sleeping
    began = time.monotonic()
    with pytest.raises(PeerAway) as away:
        calls.send(peer.address, [wish()], SECONDS, lambda: not gone.is_set())
    awake.set()
    assert away.value.perhaps
    assert time.monotonic() - began < SECONDS / 2
    peer.answer = lambda asked: StripeMoved()
    assert isinstance(calls.send(peer.address, [wish()], SECONDS, there)[0], StripeMoved), "and asked again later"


def test_a_wish_that_only_a_newer_process_knows_is_for_one_of_its_kind(peer: Peer, home: TestHome) -> None:
    with peer_channel(peer.address, home.settings()) as channel:
        request = pb.PostRequest(wishes=[b'["WishOfTomorrow",{}]'])
        (outcome,) = rpc.PeerServiceStub(channel).Post(request, timeout=SECONDS).outcomes
    assert isinstance(outcome_from(outcome), StripeMoved)
    assert peer.asked == []
