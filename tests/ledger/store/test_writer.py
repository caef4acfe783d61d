"""The batching writer: order, neighbours, bounds and deadlines."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest

from services.ledger.domain.entry import EntryKind
from services.ledger.domain.points import MOST
from services.ledger.domain.refusals.awarding import BalanceOutOfRange
from services.ledger.domain.refusals.entries import EntryNotFound
from services.ledger.domain.refusals.holds import HoldNotFound
from services.ledger.domain.refusals.requests import QueueFull, StillPosting
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import Wish
from services.ledger.store.writer import LaneLimits, Outcome, Posted
from shared.refusal import Kind
from tests.ledger.store.conftest import Vaults
from tests.ledger.store.vault import (
    BUCKETS,
    FLORIST,
    PATIENCE,
    Vault,
    award,
    capture,
    hold,
    receipt,
    redeem,
    refund,
    release,
    reverse,
    wallet_in,
)
from tests.support.together import at_once, until


def test_seqs_have_no_gaps_and_each_wallets_answers_are_in_order(vault: Vault) -> None:
    wallets = [wallet_in(bucket) for bucket in range(BUCKETS)]

    def till(wallet: UUID) -> list[Posted]:
        return [vault.posted(award(wallet, 1)) for _ in range(25)]

    histories = at_once([partial(till, wallet) for wallet in wallets for _ in range(2)])
    for history in histories:
        seqs = [posted.entry.seq for posted in history]
        assert seqs == sorted(seqs)
    for bucket in range(BUCKETS):
        seqs = [entry.seq for entry in vault.readers.journal_after(bucket, 0, 10_000)]
        assert seqs == list(range(1, len(seqs) + 1))
    for wallet in wallets:
        assert vault.available(wallet) == 50
    vault.check()


def test_an_answer_carries_the_balance_after_its_own_entry(vault: Vault) -> None:
    wallet = wallet_in(3)
    given = vault.post(award(wallet, 100))
    held = vault.post(hold(wallet, 30))
    spent = vault.post(redeem(wallet, 50))
    captured = vault.post(capture(held, 10))
    balances = [entry.balance[:3] for entry in (given, held, spent, captured)]
    assert balances == [(100, 0, 0), (70, 0, 30), (20, 0, 30), (40, 0, 0)]


def test_one_bad_item_of_a_batch_spoils_nothing(vault: Vault) -> None:
    wallet = wallet_in(2)
    unspeakable = replace(hold(wallet, 1), store="a\x00b")  # PostgreSQL knows no such text
    wishes = [
        award(wallet, 10),
        redeem(wallet, 11),
        unspeakable,
        award(wallet_in(2), MOST),
        redeem(wallet, 4),
        capture(vault.post(award(wallet_in(5)))),
    ]
    outcomes = vault.writer.post_all(wishes, PATIENCE)
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Posted",
        "InsufficientPoints",
        "Broken",
        "Posted",
        "Posted",
        "HoldNotFound",
    ]
    assert vault.available(wallet) == 6
    vault.check()


def test_the_outcomes_of_a_batch_are_in_the_order_of_its_wishes(vault: Vault) -> None:
    wishes = [award(wallet_in(number % BUCKETS), 1 + number) for number in range(60)]
    outcomes = vault.writer.post_all(wishes, PATIENCE)
    assert [_points(outcome) for outcome in outcomes] == [1 + number for number in range(60)]


def test_wishes_for_one_wallet_inside_a_batch_see_each_other(vault: Vault) -> None:
    wallet = wallet_in(2)
    outcomes = vault.writer.post_all(
        [redeem(wallet, 1), award(wallet, 10), redeem(wallet, 10), redeem(wallet, 1)], PATIENCE
    )
    assert [isinstance(outcome, Posted) for outcome in outcomes] == [False, True, True, False]


def test_balances_at_the_edge_of_the_largest_number_are_kept_exactly(vault: Vault) -> None:
    wallet = wallet_in(2)
    vault.post(award(wallet, MOST))
    vault.refused(award(wallet, 1), BalanceOutOfRange)
    held = vault.post(hold(wallet, MOST))
    vault.refused(award(wallet, 1), BalanceOutOfRange)
    spent = vault.post(capture(held, MOST - 1))
    assert (spent.points, vault.available(wallet)) == (MOST - 1, 1)
    vault.check()


@pytest.mark.parametrize("verb", [capture, release, reverse, refund])
def test_what_belongs_to_another_partner_is_not_there(vault: Vault, verb: Callable[..., Wish]) -> None:
    given = vault.post(award(wallet_in(1)))
    first = {capture: hold(given.wallet, 10), release: hold(given.wallet, 10), refund: redeem(given.wallet, 10)}
    original = vault.post(first[verb]) if verb in first else given
    before = vault.entry_count()
    refusal = vault.outcome(verb(original, partner=FLORIST))
    assert isinstance(refusal, HoldNotFound | EntryNotFound)
    nobodys = vault.outcome(verb(replace(original, seq=999_999), partner=FLORIST))
    assert str(refusal).replace(str(original.place), f"{original.bucket}-999999") == str(nobodys)
    assert vault.entry_count() == before


def test_a_full_queue_refuses_at_once_and_takes_again_afterwards(vaults: Vaults) -> None:
    vault = vaults(1, LaneLimits(queue=5, batch=1))
    with ThreadPoolExecutor(6) as pool, vault.locked_heads():
        waiting = [pool.submit(vault.outcome, award(wallet_in(0)))]
        until(lambda: bool(vault.waiting()))
        waiting += [pool.submit(vault.outcome, award(wallet_in(0))) for _ in range(5)]
        until(lambda: _refuses(vault))
        refusal = vault.outcome(award(wallet_in(0)))
        assert isinstance(refusal, QueueFull)
        assert (refusal.kind, refusal.facts["waiting"]) == (Kind.TOO_MUCH, 5)
        assert isinstance(refusal.facts["retry_after_ms"], int)
    assert all(isinstance(future.result(), Posted) for future in waiting)
    vault.post(award(wallet_in(0)))
    assert vault.check().entries == 7


def test_a_batch_that_does_not_fit_into_the_queue_is_refused_as_a_whole(vaults: Vaults) -> None:
    vault = vaults(1, LaneLimits(queue=5))
    outcomes = vault.writer.post_all([award(wallet_in(0)) for _ in range(6)], PATIENCE)
    assert all(isinstance(outcome, QueueFull) for outcome in outcomes)
    assert vault.entry_count() == 0


def test_what_outlives_its_deadline_in_the_queue_is_never_posted(vaults: Vaults) -> None:
    vault = vaults(1, LaneLimits(batch=1))
    begun, queued = award(wallet_in(0)), award(wallet_in(0))
    with ThreadPoolExecutor(2) as pool, vault.locked_heads():
        first: Future[list[Outcome]] = pool.submit(vault.writer.post_all, [begun], 1.0)
        until(lambda: bool(vault.waiting()))
        second = pool.submit(vault.writer.post_all, [queued], 0.2)
        assert isinstance(first.result()[0], StillPosting)
        assert isinstance(second.result()[0], StillPosting)
        time.sleep(0.05)
    assert vault.posted(begun).replay
    assert not vault.posted(queued).replay
    assert vault.check().entries == 2


def test_what_is_late_leaves_its_batch_and_the_rest_goes_on(vaults: Vaults) -> None:
    vault = vaults(1, LaneLimits())
    late, patient = award(wallet_in(0)), award(wallet_in(0))
    with ThreadPoolExecutor(3) as pool, vault.locked_heads():
        begun = pool.submit(vault.outcome, award(wallet_in(0)))
        until(lambda: bool(vault.waiting()))
        dropped: Future[list[Outcome]] = pool.submit(vault.writer.post_all, [late], 0.1)
        going_on = pool.submit(vault.writer.post_all, [patient], PATIENCE)
        assert isinstance(dropped.result()[0], StillPosting)
        time.sleep(0.05)
    assert isinstance(begun.result(), Posted)
    assert isinstance(going_on.result()[0], Posted)
    assert vault.check().entries == 2
    assert not vault.posted(late).replay


def test_a_stopping_writer_posts_what_is_queued_and_takes_no_more(vaults: Vaults) -> None:
    vault = vaults(2, LaneLimits(batch=3))
    with ThreadPoolExecutor(9) as pool:
        with vault.locked_heads():
            queued = [pool.submit(vault.outcome, award(wallet_in(0))) for _ in range(8)]
            until(lambda: sum(lane.load for lane in vault.writer._lanes) == 8)
            stopping = pool.submit(vault.writer.stop)
        assert all(isinstance(future.result(), Posted) for future in queued)
        stopping.result()
    assert isinstance(vault.outcome(award(wallet_in(0))), QueueFull)
    assert vault.check().entries == 8


def test_time_is_read_when_a_batch_is_posted(own_vault: Vault) -> None:
    wallet = wallet_in(0)
    entry = own_vault.post(award(wallet))
    own_vault.clock.pass_by(days=1)
    later = own_vault.post(award(wallet))
    assert later.posted_at - entry.posted_at == 24 * 60 * 60 * 1_000_000


def test_what_is_due_is_done_before_anything_else(own_vault: Vault) -> None:
    today = own_vault.clock.now().date()
    wallet = wallet_in(0)
    own_vault.post(award(wallet, 10, until=today))
    own_vault.post(award(wallet, 20))
    own_vault.post(hold(wallet, 15))
    own_vault.clock.pass_by(days=1)
    refusal = own_vault.refused(redeem(wallet, 21), InsufficientPoints)
    assert refusal.facts["available"] == 20
    kinds = [entry.kind for entry in own_vault.readers.journal_after(0, 3, 10)]
    assert kinds == [EntryKind.RELEASE], "held points that ended meanwhile end with the release"
    assert own_vault.available(wallet) == 20
    own_vault.check()


def test_many_threads_with_every_verb_leave_a_sound_journal(vault: Vault) -> None:
    wallets = [wallet_in(bucket) for bucket in range(BUCKETS)]
    outcomes: dict[str, int] = defaultdict(int)

    def till(number: int) -> None:
        for step in range(12):
            wallet = wallets[(number + step) % len(wallets)]
            given = vault.post(award(wallet, 20 + step, receipt=receipt()))
            held = vault.outcome(hold(wallet, 15))
            if isinstance(held, Posted):
                spent = vault.post(capture(held.entry, 10) if step % 2 else release(held.entry))
                if spent.kind is EntryKind.CAPTURE:
                    vault.post(refund(spent, 5))
            vault.outcome(redeem(wallet, 25))
            vault.post(reverse(given, 3))
            outcomes["turns"] += 1

    at_once([partial(till, number) for number in range(8)])
    assert outcomes["turns"] == 96
    vault.check()


def _points(outcome: Outcome) -> int:
    assert isinstance(outcome, Posted), outcome
    return outcome.entry.points


def _refuses(vault: Vault) -> bool:
    return isinstance(vault.writer.post_all([award(wallet_in(0))], 0.0)[0], QueueFull)
