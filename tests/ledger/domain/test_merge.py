"""Two wallets become one: everything goes over, debts too, and whatever comes later follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.ledger.domain.entry import Balance, Counterpart, EntryKind, LotId, Unit
from services.ledger.domain.refusals.moves import TransferToItself, WalletMerged
from services.ledger.domain.terms import NegativeBalance, Policy
from services.ledger.domain.wish import Line
from shared.instants import micros
from tests.ledger.domain.book import ANNA, BERT, BUCKET, FLORIST, GROCER, Book, done, flows, refused

ELSEWHERE = 9
CARLA = UUID(int=BERT.int + 1)
OWES = Policy(negative_balance=NegativeBalance.ALLOW_NEGATIVE)


@pytest.fixture
def book() -> Book:
    """Bert lives in another bucket."""
    book = Book()
    book.settle(BERT, ELSEWHERE)
    return book


def merged(book: Book) -> None:
    """Anna becomes part of Bert."""
    done(book.deliver(done(book.merge())))


def indebted(book: Book, points: int) -> None:
    """Anna owes the grocer so many points."""
    book.policies[GROCER] = OWES
    award = done(book.award(points))
    done(book.redeem(points, partner=FLORIST))
    done(book.reverse(award.seq))


def test_available_and_pending_points_of_every_unit_go_over(book: Book) -> None:
    tomorrow = micros(book.now + timedelta(days=1))
    lines = (
        Line(GROCER, 50),
        Line(FLORIST, 30, available_from=tomorrow),
        Line(GROCER, 3, unit=Unit.STAMPS),
    )
    done(book.award_lines(lines))
    out = done(book.merge())
    assert (out.kind, out.unit, out.points) == (EntryKind.MERGE_OUT, Unit.POINTS, 80)
    assert flows(out) == ["50 AVAILABLE -> IN_TRANSIT", "30 PENDING -> IN_TRANSIT", "3 AVAILABLE -> IN_TRANSIT"]
    assert (out.balance, out.others) == (Balance(), ((Unit.STAMPS, Balance()),))
    arrived = done(book.deliver(out))
    assert (arrived.kind, arrived.points) == (EntryKind.MERGE_IN, 80)
    assert (arrived.balance, arrived.others) == (Balance(50, 30), ((Unit.STAMPS, Balance(3)),))
    assert book.wallet(BERT).lots[LotId(arrived.seq, 1)].available_from == tomorrow
    book.pass_by(days=1)
    assert done(book.clear(BERT)).balance == Balance(80)


def test_an_empty_wallet_can_be_merged(book: Book) -> None:
    out = done(book.merge())
    assert (out.points, out.postings, out.balance) == (0, (), Balance())
    arrived = done(book.deliver(out))
    assert (arrived.points, arrived.postings) == (0, ())
    assert book.wallet().merged_into == Counterpart(ELSEWHERE, BERT)


def test_what_is_held_stays_until_it_is_decided_and_then_follows(book: Book) -> None:
    done(book.award(100))
    held = done(book.hold(60))
    merged(book)
    assert book.wallet().balance == Balance(held=60)
    done(book.capture(held.seq, 40))
    follows = done(book.merge())
    assert flows(follows) == ["20 AVAILABLE -> IN_TRANSIT"]
    assert done(book.deliver(follows)).balance == Balance(60)


def test_what_comes_later_follows_and_nothing_follows_twice(book: Book) -> None:
    merged(book)
    refused(book.merge(), WalletMerged)
    done(book.award(5))
    merged(book)
    refused(book.merge(), WalletMerged)
    assert book.wallet(BERT).balance == Balance(5)


def test_a_merged_wallet_goes_nowhere_else(book: Book) -> None:
    merged(book)
    done(book.award(5))
    refused(book.merge(to=CARLA), WalletMerged)


def test_a_wallet_is_not_merged_into_itself(book: Book) -> None:
    refused(book.merge(to=ANNA), TransferToItself)


def test_the_survivor_knows_whose_request_ids_it_took_over(book: Book) -> None:
    merged(book)
    done(book.award(5))
    merged(book)
    assert book.wallet(BERT).aliases == (Counterpart(BUCKET, ANNA),)


def test_of_two_wallets_merged_into_each_other_the_later_survivor_counts(book: Book) -> None:
    merged(book)
    done(book.deliver(done(book.merge(wallet=BERT, to=ANNA))))
    assert book.wallet().merged_into is None
    assert book.wallet(BERT).merged_into == Counterpart(BUCKET, ANNA)


def test_a_debt_goes_over_and_is_repaid_by_what_the_survivor_has(book: Book) -> None:
    indebted(book, 100)
    done(book.award(70, partner=FLORIST, wallet=BERT))
    out = done(book.merge())
    assert (out.points, flows(out)) == (0, ["100 IN_TRANSIT -> OWED:grocer"])
    assert out.balance == Balance()
    arrived = done(book.deliver(out))
    assert flows(arrived) == ["100 OWED:grocer -> IN_TRANSIT", "70 AVAILABLE -> OWED:grocer"]
    assert arrived.postings[1].for_lot == LotId(arrived.seq, 0)
    assert arrived.balance == Balance(debt=30)
    assert done(book.award(40, wallet=BERT)).balance == Balance(10)


def test_what_arrives_repays_the_survivors_own_debt(book: Book) -> None:
    indebted(book, 100)
    done(book.award(70, partner=FLORIST, wallet=BERT))
    arrived = done(book.deliver(done(book.merge(wallet=BERT, to=ANNA))))
    assert flows(arrived) == ["70 IN_TRANSIT -> AVAILABLE", "70 AVAILABLE -> OWED:grocer"]
    assert arrived.balance == Balance(debt=30)


def test_the_survivors_own_points_repay_first_in_spending_order(book: Book) -> None:
    later = book.now.date() + timedelta(days=9)
    indebted(book, 10)
    done(book.award(4, wallet=BERT, until=later))
    done(book.award(4, wallet=BERT, until=later - timedelta(days=1)))
    arrived = done(book.deliver(done(book.merge())))
    assert [(p.lot.seq, p.points) for p in arrived.postings[1:]] == [(2, 4), (1, 4)]


def test_a_programme_that_spends_the_oldest_first_also_repays_with_it_first(book: Book) -> None:
    book.programme = replace(book.programme, oldest_first=True)
    later = book.now.date() + timedelta(days=9)
    indebted(book, 10)
    done(book.award(4, wallet=BERT, until=later))
    done(book.award(4, wallet=BERT, until=later - timedelta(days=1)))
    arrived = done(book.deliver(done(book.merge())))
    assert [(p.lot.seq, p.points) for p in arrived.postings[1:]] == [(1, 4), (2, 4)]


def test_debts_of_two_wallets_stand_beside_each_other() -> None:
    book = Book()
    book.policies[GROCER] = OWES
    for wallet in (ANNA, BERT):
        award = done(book.award(10, wallet=wallet))
        done(book.redeem(10, wallet=wallet))
        done(book.reverse(award.seq))
    merged(book)
    assert book.wallet(BERT).balance == Balance(debt=20)
    repaid = done(book.award(15, wallet=BERT))
    assert [posting.points for posting in repaid.postings[1:]] == [10, 5]


def test_a_reversal_after_a_merge_leaves_a_debt_that_follows_whatever_the_policy(book: Book) -> None:
    """Or whoever merges first and brings the goods back afterwards keeps the points."""
    award = done(book.award(100))
    merged(book)
    entry = done(book.reverse(award.seq))
    assert (flows(entry), entry.balance) == (["100 OWED:grocer -> ISSUED:grocer"], Balance(debt=100))
    arrived = done(book.deliver(done(book.merge())))
    assert arrived.balance == Balance()
    book.check_replay()


def test_a_refund_after_a_merge_follows_too(book: Book) -> None:
    done(book.award(100))
    spent = done(book.redeem(60))
    merged(book)
    done(book.refund(spent.seq, 25))
    merged(book)
    assert book.wallet(BERT).balance == Balance(65)
    book.check_replay()


def test_a_debt_in_stamps_is_repaid_with_the_survivors_stamps_which_keep_their_last_day(book: Book) -> None:
    book.policies[GROCER] = OWES
    until = book.now.date() + timedelta(days=9)
    award = done(book.award_lines((Line(GROCER, 3, unit=Unit.STAMPS),)))
    done(book.redeem(3, unit=Unit.STAMPS))
    done(book.reverse(award.seq))
    done(book.award(50, wallet=BERT))
    there = done(book.award_lines((Line(FLORIST, 5, until, Unit.STAMPS),), wallet=BERT, partner=FLORIST))
    arrived = done(book.deliver(done(book.merge())))
    assert flows(arrived)[1:] == ["3 AVAILABLE -> OWED:grocer"]
    assert arrived.balance == Balance(2)
    assert book.wallet(BERT).balance == Balance(50)
    assert book.wallet(BERT).lots[LotId(there.seq, 0)].expires_on == until
