"""What the writer does not look at it does not miss: request ids, receipts and lots that it reads only on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import OPERATOR, Balance, Counterpart, Entry, EntryKind, Place, Unit
from services.ledger.domain.refusals.awarding import ReceiptAlreadyUsed
from services.ledger.domain.refusals.requests import RequestIdReused
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import Line, MergeWish
from services.ledger.store.transfers import Transfers
from services.ledger.store.writer import LaneLimits, Outcome, Posted, Writer
from services.ledger.store.writer.memory import Memory
from services.ledger.store.writer.statements import NEXT
from services.ledger.store.writer.width import WISHES_FOR_A_LANE, Width
from tests.ledger.store.conftest import Vaults
from tests.ledger.store.vault import (
    BUCKETS,
    FLORIST,
    GROCER,
    PATIENCE,
    Vault,
    award,
    capture,
    hold,
    receipt,
    redeem,
    refund,
    reverse,
    tend,
    wallet_in,
)
from tests.support.together import at_once


@contextmanager
def forgetful(vault: Vault, remembered: int = 0, lanes: int = 2) -> Iterator[Writer]:
    """A writer that knows no request ids but the last few."""
    writer = Writer(
        vault.another_engine(pool_size=lanes), vault.clock, vault.programme, BUCKETS, lanes, remembered=remembered
    )
    try:
        yield writer
    finally:
        writer.stop()


def test_a_repeat_that_nobody_remembers_gets_the_first_answer_and_its_neighbours_theirs(vault: Vault) -> None:
    old = [award(wallet_in(bucket), receipt=receipt()) for bucket in range(BUCKETS)]
    first = [vault.post(wish) for wish in old]
    new = [award(wallet_in(bucket), receipt=receipt()) for bucket in range(BUCKETS)]
    with forgetful(vault) as writer:
        mixed = [wish for pair in zip(old, new, strict=True) for wish in pair]
        outcomes = writer.post_all(mixed, PATIENCE)
    assert outcomes[0::2] == [Posted(entry, replay=True) for entry in first]
    assert all(isinstance(outcome, Posted) and not outcome.replay for outcome in outcomes[1::2])
    vault.check()


def test_a_repeat_is_never_refused_for_what_happened_since(vault: Vault) -> None:
    given = vault.post(award(wallet_in(2), 50))
    spending = redeem(given.wallet, 50)
    spent = vault.post(spending)
    undoing = reverse(given, 50)
    undone = vault.post(undoing)
    with forgetful(vault) as writer:
        assert writer.post_all([spending, undoing], PATIENCE) == [Posted(spent, True), Posted(undone, True)]
        (refused,) = writer.post_all([redeem(given.wallet, 50)], PATIENCE)
    assert isinstance(refused, InsufficientPoints)


def test_an_id_that_nobody_remembers_still_means_one_thing(vault: Vault) -> None:
    first = vault.post(award(wallet_in(3), 50))
    with forgetful(vault) as writer:
        outcomes = writer.post_all(
            [award(first.wallet, 51, request_id=first.request_id), redeem(first.wallet, 5)], PATIENCE
        )
    assert isinstance(outcomes[0], RequestIdReused)
    assert isinstance(outcomes[1], Posted)


def test_a_used_receipt_that_nobody_remembers_earns_nothing_and_spoils_nothing(vault: Vault) -> None:
    paper = receipt()
    vault.post(award(wallet_in(4), receipt=paper))
    wishes = [award(wallet_in(4)), award(wallet_in(5), receipt=paper), award(wallet_in(4))]
    with forgetful(vault) as writer:
        outcomes = writer.post_all(wishes, PATIENCE)
    assert [type(outcome) for outcome in outcomes] == [Posted, ReceiptAlreadyUsed, Posted]
    vault.check()


def test_one_request_and_one_receipt_at_two_forgetful_writers_count_once(vault: Vault) -> None:
    with forgetful(vault) as one, forgetful(vault) as other:
        for _ in range(10):
            wish = award(wallet_in(1), receipt=receipt())
            rival = award(wallet_in(2), receipt=wish.receipt)
            acts = [partial(writer.post_all, [wish, rival], PATIENCE) for writer in (one, other)]
            outcomes = [outcome for pair in at_once(acts) for outcome in pair]
            assert sum(isinstance(outcome, Posted) and not outcome.replay for outcome in outcomes) == 1
            assert all(isinstance(outcome, Posted | ReceiptAlreadyUsed) for outcome in outcomes)
    vault.check()


def test_memory_forgets_the_oldest_and_stays_small() -> None:
    memory = Memory(most=100)
    ids = [uuid4() for _ in range(1000)]
    for seq, id_ in enumerate(ids):
        memory.learn([_entry(id_, seq)])
        assert len(memory.places) <= 100
    assert memory.places[ids[-1].int] == Place(1, 999)
    assert ids[0].int not in memory.places


@pytest.mark.parametrize("count", [1, NEXT - 1, NEXT, NEXT + 1, 3 * NEXT])
def test_lots_are_spent_in_order_however_many_there_are(vault: Vault, count: int) -> None:
    wallet, today = wallet_in(3), vault.clock.now().date()
    lots = [vault.post(award(wallet, 10, until=today + timedelta(days=10 + 7 * n % 30))) for n in range(count)]
    order = sorted(lots, key=lambda lot: (lot.postings[0].expires_on or date.max, lot.seq))
    spent = vault.post(redeem(wallet, 10 * count - 5))
    assert [posting.lot.seq for posting in spent.postings] == [lot.seq for lot in order]
    assert vault.refused(redeem(wallet, 6), InsufficientPoints).facts["available"] == 5
    vault.check()


def test_redemptions_of_one_batch_that_together_need_more_lots_find_them(vaults: Vaults) -> None:
    vault = vaults(1, LaneLimits())
    wallet = wallet_in(3)
    for _ in range(3 * NEXT):
        vault.post(award(wallet, 10))
    outcomes = vault.writer.post_all([redeem(wallet, 10) for _ in range(3 * NEXT + 1)], PATIENCE)
    lots = [outcome.entry.postings[0].lot for outcome in outcomes if isinstance(outcome, Posted)]
    assert lots == sorted(set(lots))
    assert len(lots) == 3 * NEXT
    assert isinstance(outcomes[-1], InsufficientPoints)
    vault.check()


def test_more_expired_lots_than_are_read_at_first_are_all_ended_before_points_are_spent(vault: Vault) -> None:
    wallet, today = wallet_in(5), vault.clock.now().date()
    for _ in range(2 * NEXT):
        vault.post(award(wallet, 10, until=today))
    vault.post(award(wallet, 7))
    vault.clock.pass_by(days=1)
    refusal = vault.refused(redeem(wallet, 8), InsufficientPoints)
    assert refusal.facts["available"] == 7
    assert vault.available(wallet) == 7
    vault.check()


def test_lots_of_another_unit_are_not_mistaken_for_enough(vault: Vault) -> None:
    wallet, today = wallet_in(6), vault.clock.now().date()
    stamps = replace(award(wallet), lines=(Line(GROCER, 5, today + timedelta(days=1), Unit.STAMPS),))
    for _ in range(NEXT + 1):
        vault.post(replace(stamps, request_id=uuid4()))
    vault.post(award(wallet, 30))
    assert vault.post(redeem(wallet, 30)).balance.available == 0
    assert vault.post(replace(redeem(wallet, 5 * NEXT), unit=Unit.STAMPS)).balance.available == 5
    vault.check()


def test_a_dry_wish_is_answered_as_if_and_leaves_no_trace(vault: Vault) -> None:
    paper = receipt()
    given = vault.post(award(wallet_in(7), 40, receipt=paper))
    held, before = vault.post(hold(given.wallet, 10)), vault.entry_count()
    for wish in (award(given.wallet), redeem(given.wallet, 30), capture(held), reverse(given), hold(given.wallet, 5)):
        outcome = vault.outcome(replace(wish, dry=True))
        assert isinstance(outcome, Posted), outcome
        assert (outcome.replay, outcome.entry.seq) == (False, held.seq + 1)
    assert vault.refused(replace(redeem(given.wallet, 31), dry=True), InsufficientPoints).facts["available"] == 30
    vault.refused(replace(award(wallet_in(7), receipt=paper), dry=True), ReceiptAlreadyUsed)
    assert vault.entry_count() == before
    assert vault.available(given.wallet) == 30
    vault.check()


def test_a_dry_wish_under_a_known_id_is_answered_like_a_real_one(vault: Vault) -> None:
    wish = award(wallet_in(7), 40)
    entry = vault.post(wish)
    with forgetful(vault) as writer:
        again, other = writer.post_all(
            [replace(wish, dry=True), replace(redeem(entry.wallet, 4, request_id=wish.request_id), dry=True)], PATIENCE
        )
    assert again == Posted(entry, replay=True)
    assert isinstance(other, RequestIdReused)


def test_what_was_asked_of_a_merged_wallet_was_asked_of_the_one_it_went_into(vault: Vault) -> None:
    """Also through two merges, and when nobody remembers."""
    wallets = [wallet_in(bucket) for bucket in (1, 2, 3)]
    wish = award(wallets[0], 25)
    first = vault.post(wish)
    for source, target in pairwise(wallets):
        _merge(vault, source, target)
    moved = replace(wish, wallet=wallets[2], bucket=bucket_of(wallets[2], BUCKETS))
    other = replace(moved, lines=(Line(GROCER, 26),))
    with forgetful(vault) as writer:
        again, reused = writer.post_all([moved, other], PATIENCE)
    assert again == Posted(first, replay=True)
    assert isinstance(reused, RequestIdReused)
    assert vault.available(wallets[2]) == 25
    vault.check()


def test_a_wallet_that_nobody_knows_can_do_nothing_and_leaves_nothing(vault: Vault) -> None:
    before, nobody = vault.entry_count(), wallet_in(1)
    vault.outcome(tend(nobody))
    vault.refused(redeem(nobody, 1), InsufficientPoints)
    assert vault.entry_count() == before


def test_many_widths_on_the_same_wallets_keep_every_promise(own_vault: Vault) -> None:
    """Crowds and lone calls in turn: buckets go from lane to lane while they are in use."""
    wallets = [wallet_in(bucket) for bucket in range(BUCKETS)]
    for wallet in wallets:
        own_vault.post(award(wallet, 1000))

    def crowd() -> list[Outcome]:
        wishes = [award(wallets[n % BUCKETS], 3, receipt=receipt()) for n in range(4 * WISHES_FOR_A_LANE)]
        return [*own_vault.writer.post_all(wishes, PATIENCE), *own_vault.writer.post_all(wishes[:50], PATIENCE)]

    def lone() -> list[Outcome]:
        outcomes: list[Outcome] = []
        for step in range(40):
            spent = own_vault.outcome(redeem(wallets[step % BUCKETS], 2, partner=FLORIST))
            assert isinstance(spent, Posted), spent
            outcomes += [spent, own_vault.outcome(refund(spent.entry, 1, partner=FLORIST))]
        return outcomes

    outcomes = [outcome for found in at_once([crowd, lone, crowd, lone]) for outcome in found]
    assert all(isinstance(outcome, Posted) for outcome in outcomes)
    assert sum(outcome.replay for outcome in outcomes if isinstance(outcome, Posted)) == 100
    own_vault.check()


def test_few_wishes_share_a_lane_and_a_backlog_has_all() -> None:
    width = Width(4)
    assert [width.of(load) for load in (1, 64, WISHES_FOR_A_LANE - 1)] == [1, 1, 1]
    assert width.of(10 * WISHES_FOR_A_LANE) == 4
    assert width.of(1) == 4, "narrower only after a while"


def _merge(vault: Vault, source: UUID, target: UUID) -> None:
    to = Counterpart(bucket_of(target, BUCKETS), target)
    wish = MergeWish(bucket=bucket_of(source, BUCKETS), wallet=source, partner=OPERATOR, request_id=uuid4(), to=to)
    assert Transfers(vault.engine, vault.writer).post(wish, PATIENCE).arrival


def _entry(id_: UUID, seq: int) -> Entry:
    return Entry(
        bucket=1,
        seq=seq,
        kind=EntryKind.AWARD,
        wallet=id_,
        partner=GROCER,
        request_id=id_,
        request_hash=bytes(32),
        points=1,
        postings=(),
        balance=Balance(),
        occurred_at=0,
        posted_at=0,
    )
