"""Points that go to another member: two legs, one in each bucket, and what travels along."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from services.ledger.domain.apply import Head, apply
from services.ledger.domain.entry import Balance, Counterpart, EntryKind, LotId, Origin, Unit
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals.awarding import BalanceOutOfRange
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.domain.refusals.moves import TransferLimit, TransferToItself
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.verbs.transfer import leaves_a_leg
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import ArriveWish, Line
from tests.ledger.domain.book import ANNA, BERT, BUCKET, FLORIST, GROCER, Book, done, flows, refused

JUNE, DECEMBER = date(2026, 6, 30), date(2026, 12, 31)
ELSEWHERE = 9


@pytest.fixture
def book() -> Book:
    """Bert lives in another bucket."""
    book = Book()
    book.settle(BERT, ELSEWHERE)
    return book


def capped(**caps: int) -> Book:
    plain = Book().programme
    book = Book(programme=Programme(plain.zone, plain.lot_days, plain.grace_days, **caps))  # type: ignore[arg-type]
    done(book.award(100))
    return book


def test_points_leave_in_spending_order_and_are_in_transit_until_they_arrive(book: Book) -> None:
    done(book.award(50, until=DECEMBER))
    done(book.award(30, until=JUNE, partner=FLORIST))
    out = done(book.transfer(40))
    assert (out.kind, out.counterpart) == (EntryKind.TRANSFER_OUT, Counterpart(ELSEWHERE, BERT))
    assert [(p.lot.seq, p.points, str(p.debit), str(p.credit)) for p in out.postings] == [
        (2, 30, "AVAILABLE", "IN_TRANSIT"),
        (1, 10, "AVAILABLE", "IN_TRANSIT"),
    ]
    assert out.balance == Balance(40)
    assert book.wallet(BERT).balance == Balance()
    assert leaves_a_leg(out)


def test_what_arrives_keeps_issuer_earning_time_last_day_and_campaign_and_names_where_it_came_from(book: Book) -> None:
    done(book.award_lines((Line(GROCER, 50, DECEMBER, campaign="spring"), Line(FLORIST, 30, JUNE))))
    book.pass_by(days=3)
    award, out = book.entries[0], done(book.transfer(40))
    arrived = done(book.deliver(out))
    assert (arrived.kind, arrived.counterpart) == (EntryKind.TRANSFER_IN, Counterpart(BUCKET, ANNA, out.seq))
    assert (arrived.bucket, arrived.points, arrived.balance) == (ELSEWHERE, 40, Balance(40))
    assert not leaves_a_leg(arrived)
    lots = book.wallet(BERT).lots
    assert [
        (lot.issuer, lot.available, lot.awarded, lot.expires_on, lot.earned_at, lot.campaign) for lot in lots.values()
    ] == [(FLORIST, 30, 30, JUNE, award.occurred_at, ""), (GROCER, 10, 10, DECEMBER, award.occurred_at, "spring")]
    origins = [Origin(BUCKET, award.seq, 1), Origin(BUCKET, award.seq, 0)]
    assert [lot.origin for lot in lots.values()] == origins
    assert list(lots) == [LotId(arrived.seq, 0), LotId(arrived.seq, 1)]


def test_points_that_move_on_still_name_the_award_that_they_were_born_in(book: Book) -> None:
    award = done(book.award(50))
    done(book.deliver(done(book.transfer(50))))
    book.pass_by(days=3)
    done(book.deliver(done(book.transfer(20, wallet=BERT, to=ANNA))))
    [back] = [lot for lot in book.wallet().lots.values() if lot.available]
    assert (back.origin, back.earned_at) == (Origin(BUCKET, award.seq, 0), award.occurred_at)


def test_a_transfer_takes_available_points_only(book: Book) -> None:
    done(book.award(50))
    done(book.hold(20))
    assert refused(book.transfer(31), InsufficientPoints).facts["available"] == 30
    assert done(book.transfer(30)).balance == Balance(held=20)


def test_a_transfer_is_of_one_unit(book: Book) -> None:
    done(book.award_lines((Line(GROCER, 50), Line(GROCER, 3, unit=Unit.STAMPS))))
    out = done(book.transfer(3, unit=Unit.STAMPS))
    assert (out.unit, out.balance, out.others) == (Unit.STAMPS, Balance(), ())
    refused(book.transfer(1, unit=Unit.STAMPS), InsufficientPoints)
    assert done(book.deliver(out)).unit is Unit.STAMPS
    assert book.wallet(BERT).balances == {Unit.STAMPS: Balance(3)}


def test_nobody_sends_points_to_himself(book: Book) -> None:
    done(book.award(50))
    refused(book.transfer(10, to=ANNA), TransferToItself)


def test_one_transfer_is_capped() -> None:
    book = capped(transfer_points=30)
    assert refused(book.transfer(31), TransferLimit).facts == {"transferable_points": 30, "requested": 31}
    for _ in range(2):
        done(book.transfer(30))


def test_a_day_is_capped_and_the_next_day_is_another() -> None:
    book = capped(transfer_points_a_day=50)
    done(book.transfer(30))
    assert refused(book.transfer(21), TransferLimit).facts["transferable_points"] == 20
    done(book.transfer(20))
    assert refused(book.transfer(1), TransferLimit).facts["transferable_points"] == 0
    book.pass_by(days=1)
    done(book.transfer(50))


def test_the_smaller_of_both_caps_counts() -> None:
    book = capped(transfer_points=30, transfer_points_a_day=50)
    done(book.transfer(30))
    assert refused(book.transfer(21), TransferLimit).facts["transferable_points"] == 20


def test_a_day_whose_cap_was_lowered_meanwhile_allows_nothing_more() -> None:
    book = capped(transfer_points_a_day=50)
    done(book.transfer(50))
    plain = book.programme
    book.programme = Programme(plain.zone, plain.lot_days, plain.grace_days, transfer_points_a_day=20)
    assert refused(book.transfer(1), TransferLimit).facts["transferable_points"] == 0


def test_a_leg_arrives_only_where_it_was_sent(book: Book) -> None:
    award = done(book.award(50))
    out = done(book.transfer(50))
    for entry, wallet in ((out, ANNA), (award, BERT)):
        id_ = uuid4()
        bucket = book.wallet(wallet).bucket
        wish = ArriveWish(bucket=bucket, partner=GROCER, request_id=id_, wallet=wallet, out=entry)
        with pytest.raises(JournalCorrupt):
            book.apply(wish, wallet)


def test_the_meaning_of_an_arrival_is_where_it_left(book: Book) -> None:
    done(book.award(50))
    out = done(book.transfer(50))
    wish = ArriveWish(bucket=ELSEWHERE, partner=GROCER, request_id=uuid4(), wallet=BERT, out=out)
    assert wish.meaning() == [BUCKET, out.seq]


def test_no_balance_grows_beyond_its_numbers_by_an_arrival(book: Book) -> None:
    most = 2**63 - 1
    done(book.award(10))
    done(book.award(most - 5, wallet=BERT))
    out = done(book.transfer(10))
    refused(book.deliver(out), BalanceOutOfRange)
    done(book.redeem(5, wallet=BERT))
    assert done(book.deliver(out)).balance.available == most


def test_an_arrival_counts_as_many_points_as_left_whatever_they_repay(book: Book) -> None:
    done(book.award(10))
    out = done(book.transfer(10))
    head, wallet = Head(ELSEWHERE, 0, bytes(32)), Wallet(ELSEWHERE, BERT)
    wish = ArriveWish(bucket=ELSEWHERE, partner=GROCER, request_id=uuid4(), wallet=BERT, out=out)
    arrived = done(apply(head, wallet, wish, book.moment, book.programme))
    assert (arrived.points, flows(arrived)) == (10, ["10 IN_TRANSIT -> AVAILABLE"])
