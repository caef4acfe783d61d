"""Points given: lots with an issuer, an earning time and a last day of use."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.ledger.domain.entry import AVAILABLE, Account, LotId, Posting, issued
from services.ledger.domain.points import MOST
from services.ledger.domain.refusals.awarding import AlreadyPastExpiry, BalanceOutOfRange
from services.ledger.domain.wish import Line
from shared.instants import micros
from tests.ledger.domain.book import ANNA, BERT, FLORIST, GROCER, Book, done, flows, refused


def test_an_award_makes_a_lot_for_each_line(book: Book) -> None:
    entry = done(book.award_lines((Line(GROCER, 30), Line(FLORIST, 12))))
    assert flows(entry) == ["30 ISSUED:grocer -> AVAILABLE", "12 ISSUED:florist -> AVAILABLE"]
    assert entry.points == 42
    assert entry.balance.available == 42
    assert {id_: lot.issuer for id_, lot in book.wallet().lots.items()} == {
        LotId(1, 0): GROCER,
        LotId(1, 1): FLORIST,
    }


def test_a_lot_ends_by_the_programmes_rule_counted_from_the_day_of_earning(book: Book) -> None:
    yesterday = micros(book.now - timedelta(days=1))
    entry = done(book.award(5, occurred_at=yesterday))
    assert entry.postings[0].expires_on == date(2026, 2, 28) + timedelta(days=730)
    assert book.wallet().lots[LotId(1, 0)].earned_at == yesterday
    assert entry.posted_at == micros(book.now)


def test_an_award_may_name_its_own_last_day_of_use(book: Book) -> None:
    assert done(book.award(5, until=date(2026, 3, 1))).postings[0].expires_on == date(2026, 3, 1)


def test_a_last_day_of_use_that_is_over_is_refused(book: Book) -> None:
    refusal = refused(book.award(5, until=date(2026, 2, 28)), AlreadyPastExpiry)
    assert refusal.metadata == {"field": "lines.expires_on", "expiresOn": "2026-02-28", "today": "2026-03-01"}


def test_points_of_a_programme_without_expiry_never_end() -> None:
    book = Book(lot_days=0)
    assert done(book.award(5)).postings[0].expires_on is None
    book.pass_by(days=20_000)
    assert done(book.redeem(5)).points == 5


def test_a_balance_may_reach_the_largest_number_and_no_further(book: Book) -> None:
    assert done(book.award(MOST)).balance.available == MOST
    assert refused(book.award(1), BalanceOutOfRange).facts["most"] == MOST


def test_points_that_are_held_count_for_the_largest_balance(book: Book) -> None:
    done(book.award(MOST))
    held = done(book.hold(MOST))
    refused(book.award(1), BalanceOutOfRange)
    assert done(book.release(held.seq)).balance.available == MOST


def test_the_lines_of_an_award_together_may_not_exceed_the_largest_balance(book: Book) -> None:
    refused(book.award_lines((Line(GROCER, MOST), Line(FLORIST, 1))), BalanceOutOfRange)


def test_an_award_to_one_wallet_leaves_the_others_as_they_are(book: Book) -> None:
    done(book.award(10, wallet=ANNA))
    done(book.award(3, wallet=BERT))
    assert (book.wallet(ANNA).balance.available, book.wallet(BERT).balance.available) == (10, 3)


@pytest.mark.parametrize("points", [0, -1, MOST + 1])
def test_a_posting_of_nothing_of_less_or_of_too_much_cannot_be_said(points: int) -> None:
    with pytest.raises(ValueError, match="points must be from 1"):
        Posting(issued(GROCER), AVAILABLE, points, LotId(1, 0), GROCER, None)


def test_a_posting_from_an_account_to_itself_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="goes nowhere"):
        Posting(AVAILABLE, Account(AVAILABLE.kind), 1, LotId(1, 0), GROCER, None)


def test_the_day_of_earning_is_the_programmes_day_also_at_the_ends_of_the_calendar(book: Book) -> None:
    last = micros(book.now.replace(year=9999, month=12, day=31))
    assert done(book.award(5, occurred_at=last)).postings[0].expires_on == date.max
