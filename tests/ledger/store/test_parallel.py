"""Twenty at once, through two writers with several lanes: exactly what may succeed does, and nothing else happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID, uuid4

import pytest

from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import OPERATOR, Counterpart, Entry
from services.ledger.domain.refusals.awarding import PartnerNetDebitCapExceeded
from services.ledger.domain.refusals.entries import NothingPending, RefundExceedsRedemption, ReversalExceedsAward
from services.ledger.domain.refusals.holds import CaptureExceedsHold, HoldClosed
from services.ledger.domain.refusals.moves import WalletMerged
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import (
    AwardWish,
    CaptureWish,
    Line,
    MergeWish,
    ReleasePendingWish,
    TransferWish,
    Wish,
)
from services.ledger.store.allowances import Allowances
from services.ledger.store.transfers import Transfers
from services.ledger.store.writer import Outcome, Posted, Writer
from shared.instants import micros
from shared.refusal import Refusal
from tests.ledger.store.vault import (
    BUCKETS,
    GROCER,
    PATIENCE,
    Vault,
    award,
    capture,
    hold,
    redeem,
    refund,
    release,
    reverse,
    wallet_in,
)
from tests.support.together import at_once

TWENTY = 20
POINTS, PART = 100, 7
FIT, LEFT = divmod(POINTS, PART)

Crowd = Callable[[Sequence[Wish]], list[Outcome]]


@pytest.fixture
def writers(own_vault: Vault) -> list[Writer]:
    return [own_vault.writer, own_vault.another_writer(lanes=3)]


@pytest.fixture
def crowd(writers: list[Writer]) -> Crowd:
    """All wishes at the same moment, each from a till of its own, half of them to either process."""

    def sent(wishes: Sequence[Wish]) -> list[Outcome]:
        def till(number: int, wish: Wish) -> Outcome:
            (outcome,) = writers[number % 2].post_all([wish], PATIENCE)
            return outcome

        return at_once([partial(till, number, wish) for number, wish in enumerate(wishes)])

    return sent


def counted(outcomes: Sequence[Outcome]) -> Counter[type]:
    return Counter(type(outcome) for outcome in outcomes)


def capture_part(held: Entry) -> CaptureWish:
    return CaptureWish(
        bucket=held.bucket, partner=GROCER, request_id=uuid4(), original=held.seq, points=PART, keep_open=True
    )


def transfer(wallet: UUID, to: UUID, points: int = PART) -> TransferWish:
    bucket, place = bucket_of(wallet, BUCKETS), Counterpart(bucket_of(to, BUCKETS), to)
    return TransferWish(bucket=bucket, partner=GROCER, request_id=uuid4(), wallet=wallet, to=place, points=points)


def test_a_balance_is_spent_as_often_as_it_lasts(own_vault: Vault, crowd: Crowd) -> None:
    wallet = own_vault.post(award(wallet_in(3), POINTS)).wallet
    outcomes = crowd([redeem(wallet, PART) for _ in range(TWENTY)])
    assert counted(outcomes) == {Posted: FIT, InsufficientPoints: TWENTY - FIT}
    assert own_vault.available(wallet) == LEFT
    own_vault.check()


def test_holds_and_redemptions_share_one_balance(own_vault: Vault, crowd: Crowd) -> None:
    wallet = own_vault.post(award(wallet_in(3), POINTS)).wallet
    outcomes = crowd([verb(wallet, PART) for verb in (hold, redeem) for _ in range(TWENTY // 2)])
    assert counted(outcomes) == {Posted: FIT, InsufficientPoints: TWENTY - FIT}
    own_vault.check()


def test_a_hold_is_captured_once(own_vault: Vault, crowd: Crowd) -> None:
    wallet = own_vault.post(award(wallet_in(3), POINTS)).wallet
    held = own_vault.post(hold(wallet, POINTS))
    outcomes = crowd([capture(held) for _ in range(TWENTY)])
    assert counted(outcomes) == {Posted: 1, HoldClosed: TWENTY - 1}
    own_vault.check()


def test_a_hold_is_captured_in_parts_as_far_as_it_goes(own_vault: Vault, crowd: Crowd) -> None:
    wallet = own_vault.post(award(wallet_in(3), POINTS)).wallet
    held = own_vault.post(hold(wallet, POINTS))
    outcomes = crowd([capture_part(held) for _ in range(TWENTY)])
    assert counted(outcomes) == {Posted: FIT, CaptureExceedsHold: TWENTY - FIT}
    assert own_vault.post(release(held)).points == LEFT
    own_vault.check()


def test_a_hold_is_captured_or_released_and_never_both(own_vault: Vault, crowd: Crowd) -> None:
    wallet = own_vault.post(award(wallet_in(3), POINTS)).wallet
    held = own_vault.post(hold(wallet, POINTS))
    outcomes = crowd([verb(held) for verb in (capture, release) for _ in range(TWENTY // 2)])
    assert counted(outcomes) == {Posted: 1, HoldClosed: TWENTY - 1}
    own_vault.check()


def test_an_award_is_reversed_as_far_as_it_went(own_vault: Vault, crowd: Crowd) -> None:
    given = own_vault.post(award(wallet_in(3), POINTS))
    outcomes = crowd([reverse(given, PART) for _ in range(TWENTY)])
    assert counted(outcomes) == {Posted: FIT, ReversalExceedsAward: TWENTY - FIT}
    assert own_vault.post(reverse(given)).points == LEFT
    own_vault.check()


def test_a_redemption_is_refunded_as_far_as_it_went(own_vault: Vault, crowd: Crowd) -> None:
    spent = own_vault.post(redeem(own_vault.post(award(wallet_in(3), POINTS)).wallet, POINTS))
    outcomes = crowd([refund(spent, PART) for _ in range(TWENTY)])
    assert counted(outcomes) == {Posted: FIT, RefundExceedsRedemption: TWENTY - FIT}
    assert own_vault.available(spent.wallet) == FIT * PART
    own_vault.check()


def test_pending_points_are_released_once(own_vault: Vault, crowd: Crowd) -> None:
    wallet = wallet_in(3)
    later = micros(own_vault.clock.now()) + 1
    given = own_vault.post(
        AwardWish(
            bucket=3,
            partner=GROCER,
            request_id=uuid4(),
            wallet=wallet,
            lines=(Line(GROCER, POINTS, available_from=later),),
        )
    )
    outcomes = crowd(
        [ReleasePendingWish(bucket=3, partner=GROCER, request_id=uuid4(), original=given.seq) for _ in range(TWENTY)]
    )
    assert counted(outcomes) == {Posted: 1, NothingPending: TWENTY - 1}
    assert own_vault.available(wallet) == POINTS
    own_vault.check()


def moved_by(own_vault: Vault, writers: list[Writer], wishes: Sequence[TransferWish | MergeWish]) -> list[type]:
    """Both legs of each, at the same moment."""
    transfers = [Transfers(own_vault.engine, writer) for writer in writers]

    def till(number: int, wish: TransferWish | MergeWish) -> type:
        try:
            moved = transfers[number % 2].post(wish, PATIENCE)
        except Refusal as refusal:
            return type(refusal)
        assert moved.arrival is not None
        return Posted

    return at_once([partial(till, number, wish) for number, wish in enumerate(wishes)])


def test_a_balance_is_sent_as_often_as_it_lasts(own_vault: Vault, writers: list[Writer]) -> None:
    wallet, to = own_vault.post(award(wallet_in(3), POINTS)).wallet, wallet_in(6)
    outcomes = moved_by(own_vault, writers, [transfer(wallet, to) for _ in range(TWENTY)])
    assert Counter(outcomes) == {Posted: FIT, InsufficientPoints: TWENTY - FIT}
    assert (own_vault.available(wallet), own_vault.available(to)) == (LEFT, FIT * PART)
    own_vault.check()


def test_opposite_transfers_do_not_stand_in_each_others_way(own_vault: Vault, writers: list[Writer]) -> None:
    one, other = (own_vault.post(award(wallet_in(bucket), POINTS)).wallet for bucket in (3, 6))
    pairs = [(one, other), (other, one)] * (TWENTY // 2)
    outcomes = moved_by(own_vault, writers, [transfer(here, there) for here, there in pairs])
    assert Counter(outcomes) == {Posted: TWENTY}
    assert (own_vault.available(one), own_vault.available(other)) == (POINTS, POINTS)
    own_vault.check()


def test_a_wallet_is_merged_once_and_nothing_is_lost_between(own_vault: Vault, writers: list[Writer]) -> None:
    wallet, targets = (
        own_vault.post(award(wallet_in(3), POINTS)).wallet,
        [wallet_in(n % BUCKETS) for n in range(TWENTY)],
    )
    outcomes = moved_by(
        own_vault,
        writers,
        [
            MergeWish(
                bucket=3,
                partner=OPERATOR,
                request_id=uuid4(),
                wallet=wallet,
                to=Counterpart(bucket_of(to, BUCKETS), to),
            )
            for to in targets
        ],
    )
    assert Counter(outcomes) == {Posted: 1, WalletMerged: TWENTY - 1}
    assert sum(own_vault.available(to) for to in targets) == POINTS
    own_vault.check()


def test_the_last_point_of_an_allowance_is_given_once_and_can_be_given(own_vault: Vault, crowd: Crowd) -> None:
    """The wallets lie in all buckets, so every lane and both writers want it."""
    allowances = Allowances(own_vault.engine, own_vault.clock, BUCKETS)
    allowances.set(GROCER, 1, POINTS)
    outcomes = crowd([award(wallet_in(number % BUCKETS), PART) for number in range(TWENTY)])
    assert counted(outcomes) == {Posted: FIT, PartnerNetDebitCapExceeded: TWENTY - FIT}
    assert allowances.of(GROCER).remaining == LEFT
    last = crowd([award(wallet_in(number % BUCKETS), LEFT) for number in range(TWENTY)])
    assert counted(last) == {Posted: 1, PartnerNetDebitCapExceeded: TWENTY - 1}
    assert (allowances.of(GROCER).awarded, allowances.of(GROCER).remaining) == (POINTS, 0)
    own_vault.check()


def test_everything_at_once_on_one_wallet_keeps_every_promise(
    own_vault: Vault, crowd: Crowd, writers: list[Writer]
) -> None:
    wallet, other = wallet_in(3), wallet_in(6)
    given = own_vault.post(award(wallet, POINTS))
    spent, held = own_vault.post(redeem(wallet, 20)), own_vault.post(hold(wallet, 20))
    wishes: list[Wish] = [
        *(redeem(wallet, PART) for _ in range(4)),
        *(hold(wallet, PART) for _ in range(4)),
        *(capture_part(held) for _ in range(4)),
        *(reverse(given, PART) for _ in range(4)),
        *(refund(spent, PART) for _ in range(4)),
        *(award(wallet, PART) for _ in range(4)),
        *(transfer(wallet, other) for _ in range(4)),
    ]
    outcomes = crowd(wishes)
    allowed = {Posted, InsufficientPoints, CaptureExceedsHold, RefundExceedsRedemption}
    assert set(counted(outcomes)) <= allowed
    own_vault.sweeper().sweep_bucket(3)
    own_vault.check()
    for wish, outcome in zip(wishes, outcomes, strict=True):
        if isinstance(outcome, Posted):
            assert [writer.post(wish, PATIENCE) for writer in writers] == [Posted(outcome.entry, replay=True)] * 2
