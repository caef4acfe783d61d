"""Which lots are taken, and when points are short."""

from __future__ import annotations

from datetime import date

import pytest

from services.ledger.domain.entry import Balance, EntryKind, LotId, Unit
from services.ledger.domain.lots import Lot
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.spending import InsufficientPoints, TooManyLots
from services.ledger.domain.wish import Line
from shared.instants import micros
from tests.ledger.domain.book import BERT, FLORIST, GROCER, MINUTE, Book, done, flows, refused, taken

JUNE, DECEMBER = date(2026, 6, 30), date(2026, 12, 31)


def test_the_lot_that_ends_first_is_taken_first(book: Book) -> None:
    done(book.award(50, until=DECEMBER))
    done(book.award(30, until=JUNE))
    assert taken(done(book.redeem(40))) == [(2, 30), (1, 10)]


def test_of_lots_that_end_on_one_day_the_one_earned_earlier_is_taken_first(book: Book) -> None:
    done(book.award(10, until=JUNE, occurred_at=micros(book.now)))
    done(book.award(10, until=JUNE, occurred_at=micros(book.now) - 1))
    assert taken(done(book.redeem(15))) == [(2, 10), (1, 5)]


def test_of_lots_earned_together_the_one_with_the_smaller_id_is_taken_first(book: Book) -> None:
    done(book.award_lines((Line(GROCER, 5, JUNE), Line(FLORIST, 5, JUNE))))
    entry = done(book.redeem(7))
    assert [(p.lot.line, p.points, p.issuer) for p in entry.postings] == [(0, 5, GROCER), (1, 2, FLORIST)]


def test_lots_that_never_end_are_taken_last() -> None:
    book = Book(lot_days=0)
    done(book.award(10))
    done(book.award(10, until=DECEMBER))
    assert taken(done(book.redeem(11))) == [(2, 10), (1, 1)]


def test_the_last_day_of_use_is_a_day_of_use(book: Book) -> None:
    done(book.award(10, until=JUNE))
    book.on(JUNE)
    assert done(book.redeem(10)).balance.available == 0


def test_points_past_their_day_cannot_be_spent_even_before_they_are_swept(book: Book) -> None:
    done(book.award(10, until=JUNE))
    done(book.award(4, until=DECEMBER))
    book.on(date(2026, 7, 1))
    assert refused(book.redeem(5), InsufficientPoints).facts["available"] == 4
    assert taken(done(book.redeem(4))) == [(2, 4)]


def test_a_redemption_names_the_acceptor_and_keeps_each_lots_issuer(book: Book) -> None:
    done(book.award(10, partner=FLORIST))
    entry = done(book.redeem(10, partner=GROCER))
    assert (entry.kind, flows(entry)) == (EntryKind.REDEMPTION, ["10 AVAILABLE -> REDEEMED:grocer"])
    assert entry.postings[0].issuer == FLORIST


def test_nobody_spends_more_than_is_available(book: Book) -> None:
    done(book.award(100))
    for verb in (book.redeem, book.hold):
        facts = refused(verb(101), InsufficientPoints).facts
        assert facts == {"available": 100, "requested": 101, "max_redeemable_points": 100}


def test_nobody_spends_what_is_held(book: Book) -> None:
    done(book.award(100))
    done(book.hold(60))
    refused(book.redeem(41), InsufficientPoints)
    assert done(book.redeem(40)).balance == (0, 0, 60, 0)


def test_nobody_spends_anothers_points(book: Book) -> None:
    done(book.award(100))
    refused(book.redeem(1, wallet=BERT), InsufficientPoints)


def test_a_hold_chooses_its_lots_when_it_is_placed(book: Book) -> None:
    done(book.award(50, until=DECEMBER))
    held = done(book.hold(20))
    done(book.award(50, until=JUNE))
    assert taken(done(book.capture(held.seq))) == [(1, 20)]


def test_a_hold_says_when_it_ends_and_what_is_left(book: Book) -> None:
    done(book.award(100))
    entry = done(book.hold(30, ttl=5 * MINUTE))
    assert entry.hold_until == micros(book.now) + 5 * MINUTE
    assert entry.balance == (70, 0, 30, 0)
    assert flows(entry) == ["30 AVAILABLE -> HELD"]


def _crumbs(book: Book, count: int) -> None:
    """So many lots of one point each; the book's own checks look at all of them each time, so it is told once."""
    now = book.moment.at
    for number in range(count):
        book.wallet().lots[LotId(1000 + number, 0)] = Lot(
            LotId(1000 + number, 0), GROCER, now, DECEMBER, awarded=1, available=1
        )
    book.wallet().balances[Unit.POINTS] = Balance(available=count)


@pytest.mark.parametrize("verb", ["redeem", "hold"])
def test_an_entry_moves_a_bounded_number_of_lots_and_the_refusal_says_how_far_it_reaches(verb: str) -> None:
    book = Book()
    _crumbs(book, MOST_LOTS + 5)
    book.check_conservation = lambda: None  # type: ignore[method-assign]  # the crumbs come from no entry
    refusal = refused(getattr(book, verb)(MOST_LOTS + 1), TooManyLots)
    assert refusal.facts == {"most_lots": MOST_LOTS, "possible": MOST_LOTS}
    assert refused(book.redeem(MOST_LOTS + 6), InsufficientPoints).facts["available"] == MOST_LOTS + 5
    assert len(done(getattr(book, verb)(MOST_LOTS)).postings) == MOST_LOTS
    assert done(book.redeem(5)).points == 5


def test_so_many_lots_end_in_several_entries() -> None:
    book = Book()
    _crumbs(book, MOST_LOTS + 5)
    book.check_conservation = lambda: None  # type: ignore[method-assign]  # as above
    book.on(date(2027, 1, 1))
    assert [done(book.expire()).points for _ in range(2)] == [MOST_LOTS, 5]
    refused(book.expire(), NothingDue)
