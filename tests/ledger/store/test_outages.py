"""Connections that die at the worst moments: the outcome is right, and the next call works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from services.ledger.domain.wish import Wish
from services.ledger.store.writer import Outcome, Posted
from shared.db.errors import DatabaseUnavailable, OutcomeUnknown
from shared.refusal import Kind, Refusal
from tests.ledger.store.vault import BUCKETS, PATIENCE, Vault, award, receipt, redeem, wallet_in
from tests.support.together import at_once, until


class Faulty(psycopg.Connection[Any]):
    """A connection that breaks around its commits as often as it is told to, for the whole process."""

    before = after = 0
    refuse_to_connect = 0

    def commit(self) -> None:
        if Faulty.before:
            Faulty.before -= 1
            self._killed()
        super().commit()
        if Faulty.after:
            Faulty.after -= 1
            self._killed()
            raise psycopg.OperationalError("the answer to the commit was lost")

    def _killed(self) -> None:
        with psycopg.connect(Faulty.address, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [self.info.backend_pid])

    address = ""


@pytest.fixture
def faulty(own_vault: Vault) -> Vault:
    """A vault whose writer has such connections."""
    engine = own_vault.another_engine(pool_size=4)
    Faulty.before = Faulty.after = Faulty.refuse_to_connect = 0
    Faulty.address = own_vault.address
    _connecting_with_faults(engine)
    own_vault.writer = own_vault.another_writer(engine=engine)
    return own_vault


def _connecting_with_faults(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, args: tuple[Any, ...], named: dict[str, Any]) -> Faulty:
        if Faulty.refuse_to_connect:
            Faulty.refuse_to_connect -= 1
            raise psycopg.OperationalError("nobody listens there")
        return Faulty.connect(*args, **named)


def _wishes() -> list[Wish]:
    paper = receipt()
    return [award(wallet_in(3), receipt=paper), award(wallet_in(3), receipt=paper), redeem(wallet_in(3), 5)]


def test_connections_that_died_while_idle_cost_nobody_an_answer(own_vault: Vault) -> None:
    for bucket in range(BUCKETS):
        own_vault.post(award(wallet_in(bucket)))
    own_vault.kill_backends()
    for bucket in range(BUCKETS):
        assert not own_vault.posted(award(wallet_in(bucket))).replay
    assert own_vault.available(wallet_in(0)) == 0
    own_vault.check()


def test_a_connection_killed_in_the_middle_of_a_posting_posts_it_once(own_vault: Vault) -> None:
    wish = award(wallet_in(2), receipt=receipt())
    with ThreadPoolExecutor(1) as pool:
        with own_vault.locked_heads():
            outcome = pool.submit(own_vault.outcome, wish)
            until(lambda: bool(own_vault.waiting()))
            own_vault.kill_backends()
        posted = outcome.result()
    assert isinstance(posted, Posted)
    assert own_vault.posted(wish).entry == posted.entry
    assert own_vault.check().entries == 1


def test_a_connection_killed_just_before_the_commit_posts_everything_once(faulty: Vault) -> None:
    wishes = _wishes()
    Faulty.before = 1
    outcomes = faulty.writer.post_all(wishes, PATIENCE)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Posted", "ReceiptAlreadyUsed", "InsufficientPoints"]
    assert faulty.check().entries == 1


def test_a_connection_killed_just_after_the_commit_finds_its_entries_again(faulty: Vault) -> None:
    wishes = _wishes()
    Faulty.after = 1
    first, *rest = faulty.writer.post_all(wishes, PATIENCE)
    assert isinstance(first, Posted)
    assert [type(outcome).__name__ for outcome in rest] == ["ReceiptAlreadyUsed", "InsufficientPoints"]
    assert faulty.posted(wishes[0]) == Posted(first.entry, replay=True)
    assert faulty.check().entries == 1


@pytest.mark.parametrize("counted", [False, True], ids=["it did not count", "it counted"])
def test_a_commit_that_breaks_again_and_again_is_still_looked_up(faulty: Vault, counted: bool) -> None:
    wish = award(wallet_in(3))
    Faulty.before, Faulty.after = (0, 2) if counted else (2, 0)
    assert isinstance(faulty.outcome(wish), Posted)
    assert faulty.check().entries == 1


def test_a_commit_that_nobody_can_look_up_is_said_to_be_unknown_and_a_repeat_tells(faulty: Vault) -> None:
    wish = award(wallet_in(3), receipt=receipt())
    faulty.post(award(wallet_in(3)))
    Faulty.after, Faulty.refuse_to_connect = 1, 100
    refusal = faulty.refused(wish, OutcomeUnknown)
    assert (refusal.kind, refusal.facts) == (Kind.CHANGED, {"retry_after_ms": 500})
    Faulty.refuse_to_connect = 0
    assert faulty.posted(wish).replay
    assert faulty.check().entries == 2


def test_without_a_database_nothing_happens_and_the_refusal_says_when_to_come_back(faulty: Vault) -> None:
    Faulty.refuse_to_connect = 100
    wish = award(wallet_in(3))
    refusal = faulty.refused(wish, DatabaseUnavailable)
    assert (refusal.kind, refusal.facts) == (Kind.DOWN, {"retry_after_ms": 500})
    Faulty.refuse_to_connect = 0
    assert not faulty.posted(wish).replay
    assert faulty.check().entries == 1


def test_readers_recover_from_killed_connections(own_vault: Vault) -> None:
    entry = own_vault.post(award(wallet_in(1)))
    own_vault.kill_backends()
    assert own_vault.readers.entry(entry.place) == entry


def test_tills_that_hammer_while_backends_are_killed_get_every_award_exactly_once(own_vault: Vault) -> None:
    """Whatever was answered is true, and whatever was not is posted once by repeating it."""
    over = threading.Event()

    def killer() -> None:
        while not over.wait(0.15):
            own_vault.kill_backends()

    def till(number: int) -> list[tuple[Wish, Outcome]]:
        wishes = [award(wallet_in((number + step) % BUCKETS), receipt=receipt()) for step in range(30)]
        return [(wish, own_vault.outcome(wish)) for wish in wishes]

    troublemaker = threading.Thread(target=killer)
    troublemaker.start()
    try:
        tills: list[Callable[[], list[tuple[Wish, Outcome]]]] = [partial(till, number) for number in range(6)]
        answered = [answer for history in at_once(tills) for answer in history]
    finally:
        over.set()
        troublemaker.join()
    for wish, outcome in answered:
        if isinstance(outcome, Posted):
            assert own_vault.posted(wish) == Posted(outcome.entry, replay=True)
        else:
            assert _allowed(outcome), outcome
            own_vault.post(wish)
    assert own_vault.check().entries == len(answered)


def _allowed(outcome: Refusal) -> bool:
    return isinstance(outcome, DatabaseUnavailable | OutcomeUnknown)
