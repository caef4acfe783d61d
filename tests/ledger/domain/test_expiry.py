"""Points end after their last day of use, once, whoever asks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals.clock import NothingDue
from shared.instants import instant, micros
from tests.ledger.domain.book import BERT, FLORIST, Book, done, flows, refused

JUNE, JULY, DECEMBER = date(2026, 6, 30), date(2026, 7, 1), date(2026, 12, 31)


def test_all_due_lots_of_a_wallet_end_in_one_entry(book: Book) -> None:
    done(book.award(10, until=JUNE))
    done(book.award(20, until=date(2026, 6, 29), partner=FLORIST))
    done(book.award(40, until=DECEMBER))
    book.on(JULY)
    entry = done(book.expire())
    assert flows(entry) == ["20 AVAILABLE -> EXPIRED:florist", "10 AVAILABLE -> EXPIRED:grocer"]
    assert (entry.partner, entry.points, entry.balance) == ("operator", 30, (40, 0, 0, 0))


def test_nothing_ends_on_its_last_day_of_use(book: Book) -> None:
    done(book.award(10, until=JUNE))
    book.on(JUNE)
    refused(book.expire(), NothingDue)


def test_expiring_twice_finds_nothing(book: Book) -> None:
    done(book.award(10, until=JUNE))
    book.on(JULY)
    done(book.expire())
    refused(book.expire(), NothingDue)


def test_an_empty_wallet_has_nothing_due(book: Book) -> None:
    refused(book.expire(BERT), NothingDue)


def test_a_restored_lot_ends_again(book: Book) -> None:
    done(book.award(10, until=JUNE))
    redemption = done(book.redeem(10))
    book.on(JULY)
    done(book.refund(redemption.seq))
    refused(book.expire(), NothingDue)
    book.on(DECEMBER)
    assert done(book.expire()).points == 10


def test_a_day_begins_in_the_programmes_time_zone() -> None:
    tokyo = Programme(ZoneInfo("Asia/Tokyo"), lot_days=1, grace_days=30)
    late = datetime(2026, 6, 30, 15, 30, tzinfo=UTC)
    assert tokyo.moment(late).today == JULY
    assert tokyo.last_day_of_use(micros(late)) == date(2026, 7, 2)


def test_instants_survive_the_way_to_microseconds_and_back() -> None:
    for when in (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)):
        assert instant(micros(when)) == when


def test_a_lot_that_ended_still_says_when() -> None:
    """So that points that are refunded into it later get their days of grace."""
    book = Book()
    until = book.now.date()
    award = done(book.award(10, until=until))
    spent = done(book.redeem(4))
    book.pass_by(days=1)
    done(book.expire())
    lot = book.wallet().lots[award.postings[0].lot]
    assert lot.expires_on == until
    done(book.refund(spent.seq))
    assert lot.expires_on == book.now.date() + timedelta(days=30)
