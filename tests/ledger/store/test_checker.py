"""Damage is found within one sweep, stops its own bucket and no other, and stays until it is repaired."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from services.ledger.domain.entry import Counterpart, Entry
from services.ledger.domain.refusals.buckets import BucketDiffers, BucketFrozen, BucketNotFrozen
from services.ledger.domain.refusals.requests import TooLate
from services.ledger.domain.wish import TransferWish
from services.ledger.store.checker import Checker, Look
from services.ledger.store.gauges import CheckGauges
from services.ledger.store.transfers import Transfers
from services.ledger.store.writer import Posted
from shared.refusal import Refusal
from tests.ledger.store.damage import damaged
from tests.ledger.store.vault import (
    BUCKETS,
    GROCER,
    Vault,
    award,
    capture,
    hold,
    receipt,
    redeem,
    refund,
    tend,
    wallet_in,
)
from tests.support.databases import Databases

SICK, SOUND = 3, 5

DAMAGE = {
    "entry": "UPDATE ledger.entries SET points = points + 1 WHERE bucket = 3 AND seq = 2",
    "entry lost": "DELETE FROM ledger.entries WHERE bucket = 3 AND seq = 2",
    "posting": "UPDATE ledger.postings SET points = points + 1 WHERE bucket = 3 AND seq = 2",
    "posting moved": "UPDATE ledger.postings SET posted_at = posted_at + interval '1 s' WHERE bucket = 3 AND seq = 2",
    "head": "UPDATE ledger.heads SET seq = seq - 1 WHERE bucket = 3",
    "wallet": "UPDATE ledger.wallets SET available = available + 1 WHERE bucket = 3",
    "wallet invented": (
        "INSERT INTO ledger.wallets (bucket, wallet_id, unit, available, pending, held, debt)"
        " VALUES (3, gen_random_uuid(), 1, 0, 0, 0, 0)"
    ),
    "lot": "UPDATE ledger.lots SET issuer = 'florist' WHERE bucket = 3 AND seq = 1",
    "lot lost": "DELETE FROM ledger.lots WHERE bucket = 3 AND seq = 1",
    "hold": "UPDATE ledger.holds SET captured = 1 WHERE bucket = 3",
    "redemption": "UPDATE ledger.redemptions SET refunded = refunded + 1 WHERE bucket = 3",
    "request": "UPDATE ledger.requests SET seq = seq + 1 WHERE bucket = 3 AND seq = 2",
    "request lost": "DELETE FROM ledger.requests WHERE bucket = 3 AND seq = 1",
    "receipt lost": "DELETE FROM ledger.receipts WHERE entry_bucket = 3",
    "slice": "UPDATE ledger.slices SET awarded = awarded + 1 WHERE bucket = 3",
}
"""What happened to the rows of bucket 3, which is its own stripe here."""

Watched = tuple[Checker, CollectorRegistry]


@pytest.fixture
def watched(own_vault: Vault) -> Watched:
    """A checker that neither pauses nor rests, and what it counts."""
    return checking(own_vault)


def checking(vault: Vault, kind: type[Checker] = Checker) -> Watched:
    registry = CollectorRegistry()
    gauges = CheckGauges(registry)
    checker = kind(vault.engine, vault.clock, gauges, BUCKETS, pause_seconds=0, duty_percent=100)
    return checker, registry


def fill(vault: Vault, bucket: int) -> Entry:
    wallet = wallet_in(bucket)
    given = vault.post(award(wallet, 100, receipt=receipt()))
    vault.post(refund(vault.post(redeem(wallet, 30)), 10))
    vault.post(capture(vault.post(hold(wallet, 20)), 15))
    vault.post(hold(wallet, 5))
    return given


def test_a_sound_ledger_is_left_alone_while_tills_go_on(own_vault: Vault, watched: Watched) -> None:
    checker, registry = watched
    stop, wrong = threading.Event(), list[Refusal]()

    def till(bucket: int) -> None:
        while not stop.is_set():
            wallet = wallet_in(bucket)
            for wish in (award(wallet, 10, receipt=receipt()), redeem(wallet, 3), hold(wallet, 3), tend(wallet)):
                outcome = own_vault.outcome(wish)
                if isinstance(outcome, BucketFrozen):
                    wrong.append(outcome)

    tills = [threading.Thread(target=till, args=(bucket,)) for bucket in range(BUCKETS)]
    for thread in tills:
        thread.start()
    try:
        for _ in range(5):
            checker.sweep()
    finally:
        stop.set()
        for thread in tills:
            thread.join()
    assert checker.frozen() == []
    assert wrong == []
    assert registry.get_sample_value("ledger_buckets_checked_total") == 5 * BUCKETS
    assert (registry.get_sample_value("ledger_entries_checked_total") or 0) > 0


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[Vault]:
    """Damaged by each test in another way, and whole again after it."""
    vault = Vault(databases)
    fill(vault, SICK)
    fill(vault, SOUND)
    yield vault
    assert checking(vault)[0].frozen() == []
    vault.check()
    vault.close()


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found_within_one_sweep_and_freezes_its_bucket_alone(filled: Vault, what: str) -> None:
    checker, registry = checking(filled)
    with damaged(filled, SICK, DAMAGE[what]):
        checker.sweep()
        (freeze,) = checker.frozen()
        assert (freeze.bucket, freeze.difference.subject) == (SICK, what.split()[0].replace("posting", "entry"))
        assert registry.get_sample_value("ledger_frozen_buckets") == 1
        subject = {"subject": freeze.difference.subject}
        assert registry.get_sample_value("ledger_invariant_violations_total", subject) == 1
        refused = filled.refused(award(wallet_in(SICK)), BucketFrozen)
        assert refused.facts["bucket"] == SICK
        assert isinstance(filled.outcome(award(wallet_in(SOUND))), Posted)
    checker.thaw(SICK, 20)


def test_a_frozen_bucket_spoils_no_neighbour_in_its_batch(own_vault: Vault, watched: Watched) -> None:
    checker, _ = watched
    fill(own_vault, SICK)
    with damaged(own_vault, SICK, DAMAGE["wallet"]):
        checker.sweep()
        wishes = [award(wallet_in(bucket)) for bucket in (*range(BUCKETS), SICK, SOUND)]
        outcomes = own_vault.writer.post_all(wishes, 20)
        refused = [isinstance(outcome, BucketFrozen) for outcome in outcomes]
        assert refused == [wish.bucket == SICK for wish in wishes]


def test_what_is_read_from_a_frozen_bucket_is_as_it_was(own_vault: Vault, watched: Watched) -> None:
    checker, _ = watched
    given = fill(own_vault, SICK)
    with damaged(own_vault, SICK, DAMAGE["redemption"]):
        checker.sweep()
        assert own_vault.available(given.wallet) == 60
        assert own_vault.readers.entry(given.place) == given


def test_thawing_is_refused_while_the_bucket_differs_and_works_when_it_is_repaired(
    own_vault: Vault, watched: Watched
) -> None:
    checker, registry = watched
    given = fill(own_vault, SICK)
    wish = award(given.wallet, 7, request_id=uuid4())
    with damaged(own_vault, SICK, DAMAGE["wallet"]):
        checker.sweep()
        own_vault.refused(wish, BucketFrozen)
        with pytest.raises(BucketDiffers) as refusal:
            checker.thaw(SICK, 20)
        assert refusal.value.facts["subject"] == "wallet"
        assert str(given.wallet) in str(refusal.value)
        own_vault.refused(wish, BucketFrozen)
    with pytest.raises(TooLate):
        checker.thaw(SICK, 0)
    assert checker.thaw(SICK, 20).difference.subject == "wallet"
    assert own_vault.post(wish).points == 7
    checker.sweep()
    assert checker.frozen() == []
    assert registry.get_sample_value("ledger_frozen_buckets") == 0
    own_vault.check()


def test_a_bucket_that_is_not_frozen_cannot_be_thawed(own_vault: Vault, watched: Watched) -> None:
    with pytest.raises(BucketNotFrozen):
        watched[0].thaw(SICK, 20)


def test_a_difference_that_is_gone_at_the_second_look_freezes_nothing(own_vault: Vault) -> None:
    repair: list[Callable[[], None]] = []

    class SeesItGo(Checker):
        def _looked(self, bucket: int, pace: Callable[[float], None]) -> Look:
            found = super()._looked(bucket, pace)
            if found.difference is not None and repair:
                repair.pop()()
            return found

    checker, registry = checking(own_vault, SeesItGo)
    fill(own_vault, SICK)
    with ExitStack() as damage:
        damage.enter_context(damaged(own_vault, SICK, DAMAGE["lot"]))
        repair.append(damage.close)
        checker.sweep()
    assert repair == []
    assert checker.frozen() == []
    assert registry.get_sample_value("ledger_invariant_violations_total", {"subject": "lot"}) == 0
    own_vault.post(award(wallet_in(SICK)))


def test_a_bucket_that_another_one_contradicts_is_frozen_only_when_it_is_wrong_itself(
    own_vault: Vault, watched: Watched
) -> None:
    """The legs of a transfer and the claims of receipts lie in two buckets: one damage freezes one of them."""
    checker, _ = watched
    giver, taker = wallet_in(SICK), Counterpart(0, wallet_in(0))
    for number in range(10):
        own_vault.post(award(giver, 10, receipt=receipt(f"R{number}")))
    wish = TransferWish(bucket=SICK, partner=GROCER, request_id=uuid4(), wallet=giver, to=taker, points=60)
    sent = Transfers(own_vault.engine, own_vault.writer).post(wish, 20).departure.entry
    for seq in (4, sent.seq):
        with damaged(own_vault, SICK, f"UPDATE ledger.entries SET points = 7 WHERE bucket = 3 AND seq = {seq}"):
            checker.sweep()
            assert [(freeze.bucket, freeze.difference.name) for freeze in checker.frozen()] == [(SICK, f"3-{seq}")]
        checker.thaw(SICK, 20)
    gone = "DELETE FROM ledger.transfers WHERE bucket = 3"
    with own_vault.tampering() as connection:
        connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM ledger.transfers")
        connection.execute(gone)
        checker.sweep()
        connection.execute("INSERT INTO ledger.transfers SELECT * FROM kept")
    assert [(freeze.bucket, freeze.difference.subject) for freeze in checker.frozen()] == [(SICK, "transfer")]
    checker.thaw(SICK, 20)
    own_vault.check()


def test_the_clocks_work_goes_on_in_the_buckets_beside_a_frozen_one(own_vault: Vault, watched: Watched) -> None:
    """Points on their way to a frozen bucket wait; those beside them arrive, and due lots of later buckets end."""
    checker, _ = watched
    fill(own_vault, SICK)
    giver, sick, sound = wallet_in(0), Counterpart(SICK, wallet_in(SICK)), Counterpart(SOUND, wallet_in(SOUND))
    ending = wallet_in(BUCKETS - 1)
    own_vault.post(award(giver, 100))
    own_vault.post(award(ending, 8, until=own_vault.clock.now().date()))
    for to in (sick, sound):
        own_vault.post(TransferWish(bucket=0, partner=GROCER, request_id=uuid4(), wallet=giver, to=to, points=5))
    own_vault.clock.pass_by(days=1)
    sweeper = own_vault.sweeper(interval=0)
    with damaged(own_vault, SICK, DAMAGE["lot"]):
        checker.sweep()
        assert [freeze.bucket for freeze in checker.frozen()] == [SICK]
        sweeper.start()
        eventually(lambda: own_vault.available(sound.wallet) == 5 and own_vault.available(ending) == 0)
        assert own_vault.available(sick.wallet) == 0
    checker.thaw(SICK, 20)
    eventually(lambda: own_vault.available(sick.wallet) == 5)
    sweeper.stop()
    own_vault.check()


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        threading.Event().wait(0.05)
    pytest.fail("it never came")


def test_a_checker_of_several_looks_at_its_own_buckets_only(own_vault: Vault) -> None:
    registry = CollectorRegistry()
    gauges = CheckGauges(registry)
    checker = Checker(
        own_vault.engine, own_vault.clock, gauges, BUCKETS, buckets=lambda: [SOUND], pause_seconds=0, duty_percent=100
    )
    fill(own_vault, SICK)
    with damaged(own_vault, SICK, DAMAGE["lot"]):
        checker.sweep()
        assert checker.frozen() == []


def test_it_runs_by_itself_and_stops_at_once(own_vault: Vault, watched: Watched) -> None:
    checker, _ = watched
    fill(own_vault, SICK)
    with damaged(own_vault, SICK, DAMAGE["hold"]):
        checker.start()
        for _ in range(200):
            if isinstance(own_vault.outcome(award(wallet_in(SICK), 1)), BucketFrozen):
                break
            threading.Event().wait(0.05)
        else:
            pytest.fail("nobody noticed")
        checker.stop()


def test_a_freeze_names_a_wallet_and_no_member(own_vault: Vault, watched: Watched) -> None:
    """What is kept of a difference goes into logs and to the operator: ids and numbers."""
    checker, _ = watched
    given = fill(own_vault, SICK)
    with damaged(own_vault, SICK, DAMAGE["wallet"]):
        checker.sweep()
        (freeze,) = checker.frozen()
        assert UUID(freeze.difference.name.partition("/")[2]) == given.wallet
