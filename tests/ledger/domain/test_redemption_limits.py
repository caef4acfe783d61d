"""What an acceptor's contract allows to be spent at once, and what a refusal offers instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.entry import Balance
from services.ledger.domain.refusals.spending import InsufficientPoints, RedemptionLimit
from services.ledger.domain.terms import NO_POLICY, Policy
from tests.ledger.domain.book import FLORIST, GROCER, Book, done, refused


def test_without_a_policy_everything_may_be_spent(book: Book) -> None:
    done(book.award(1))
    assert done(book.redeem(1, receipt_points=1)).balance == Balance()
    assert NO_POLICY.redeemable(7, 3) == 3


@pytest.mark.parametrize("verb", ["hold", "redeem"])
def test_a_redemption_goes_in_steps_and_the_refusal_offers_the_next_lower_one(book: Book, verb: str) -> None:
    book.policies[GROCER] = Policy(redemption_step=200)
    done(book.award(450))
    facts = refused(getattr(book, verb)(450), RedemptionLimit).facts
    assert facts == {"requested": 450, "max_redeemable_points": 400, "step": 200, "minimum": 0}
    assert done(getattr(book, verb)(400)).balance.available == 50


def test_a_redemption_has_a_minimum_and_below_it_nothing_is_offered(book: Book) -> None:
    book.policies[GROCER] = Policy(redemption_minimum=100)
    done(book.award(150))
    assert refused(book.redeem(99), RedemptionLimit).facts["max_redeemable_points"] == 150
    assert done(book.redeem(100)).points == 100
    assert refused(book.redeem(50), RedemptionLimit).facts["max_redeemable_points"] == 0


def test_points_pay_their_share_of_a_receipt_and_no_more(book: Book) -> None:
    book.policies[GROCER] = Policy(redemption_share_bp=5_000)
    done(book.award(100))
    assert refused(book.redeem(51, receipt_points=101), RedemptionLimit).facts["max_redeemable_points"] == 50
    assert done(book.redeem(50, receipt_points=101)).points == 50


def test_a_share_is_kept_only_where_the_receipt_is_known(book: Book) -> None:
    book.policies[GROCER] = Policy(redemption_share_bp=5_000)
    done(book.award(100))
    assert done(book.redeem(100)).points == 100


def test_the_limits_are_those_of_whoever_takes_the_points(book: Book) -> None:
    book.policies[FLORIST] = Policy(redemption_step=200)
    done(book.award(150, partner=FLORIST))
    assert done(book.redeem(150, partner=GROCER)).points == 150


def test_more_than_there_is_offers_what_the_limits_allow(book: Book) -> None:
    book.policies[GROCER] = Policy(redemption_step=200)
    done(book.award(450))
    facts = refused(book.redeem(600), InsufficientPoints).facts
    assert facts == {"available": 450, "requested": 600, "max_redeemable_points": 400}


def test_what_is_captured_of_a_hold_knows_no_step(book: Book) -> None:
    """The hold was within the limits; how much the sale then needs is the till's business."""
    book.policies[GROCER] = Policy(redemption_step=200)
    done(book.award(450))
    assert done(book.capture(done(book.hold(400)).seq, 123)).points == 123


@given(
    step=st.integers(1, 50),
    minimum=st.integers(0, 100),
    share_bp=st.integers(1, 10_000),
    free=st.integers(0, 500),
    receipt=st.one_of(st.none(), st.integers(1, 500)),
)
def test_what_is_offered_is_allowed_and_nothing_more_is(
    step: int, minimum: int, share_bp: int, free: int, receipt: int | None
) -> None:
    policy = Policy(redemption_step=step, redemption_minimum=minimum, redemption_share_bp=share_bp)

    def allowed(points: int) -> bool:
        within = receipt is None or points * 10_000 <= receipt * share_bp
        return 0 < points <= free and points >= minimum and points % step == 0 and within

    assert policy.redeemable(free, receipt) == max((n for n in range(1, free + 1) if allowed(n)), default=0)
