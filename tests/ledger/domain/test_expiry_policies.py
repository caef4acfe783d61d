"""When points end: never, after a time, on a day of the year, or after inactivity; always by the lot's own fields."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.entry import EntryKind, LotId
from services.ledger.domain.programme import Expiry, Programme
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import Line
from shared.instants import micros
from tests.ledger.domain.book import ANNA, BERT, FLORIST, GROCER, MINUTE, Book, done, flows, refused

DAY = timedelta(days=1)
LONG = 100 * 24 * 60 * MINUTE


def programme(expiry: Expiry, days: int = 30, **more: object) -> Programme:
    return Programme(ZoneInfo("UTC"), days, 10, expiry=expiry, **more)  # type: ignore[arg-type]  # its other fields


def ends_on(book: Book, seq: int, line: int = 0) -> date | None:
    wallet = book.wallet()
    return wallet.last_day(wallet.lots[LotId(seq, line)], book.moment)


def idle(days: int = 30) -> Book:
    return Book(programme=programme(Expiry.INACTIVITY, days))


def test_points_may_never_end() -> None:
    book = Book(programme=programme(Expiry.NONE))
    award = done(book.award(10))
    book.pass_by(days=36_500)
    assert ends_on(book, award.seq) is None
    refused(book.expire(), NothingDue)
    assert done(book.redeem(10)).points == 10


def test_points_may_end_a_fixed_period_after_the_day_of_earning() -> None:
    book = Book(programme=programme(Expiry.FIXED_PERIOD))
    award = done(book.award(10, occurred_at=micros(book.now - 2 * DAY)))
    assert ends_on(book, award.seq) == book.now.date() + 28 * DAY


@pytest.mark.parametrize(
    ("today", "ends"),
    [
        (date(2026, 3, 1), date(2026, 6, 30)),
        (date(2026, 5, 31), date(2026, 6, 30)),
        (date(2026, 6, 1), date(2027, 6, 30)),
        (date(2026, 12, 31), date(2027, 6, 30)),
    ],
)
def test_points_may_end_on_a_day_of_the_year_that_leaves_a_while(today: date, ends: date) -> None:
    book = Book(programme=programme(Expiry.FIXED_DATE, expiry_day=(6, 30)))
    book.on(today)
    assert ends_on(book, done(book.award(10)).seq) == ends


@given(
    earned=st.dates(date(1, 1, 1), date.max),
    month=st.integers(1, 12),
    day=st.integers(1, 28),
    days=st.integers(1, 800),
)
def test_a_day_of_the_year_always_leaves_the_days_that_were_promised(
    earned: date, month: int, day: int, days: int
) -> None:
    rules = programme(Expiry.FIXED_DATE, days, expiry_day=(month, day))
    ends = rules.last_day_of_use(micros(datetime(earned.year, earned.month, earned.day, 12, tzinfo=UTC)))
    assert ends is not None
    promised = earned.toordinal() + days
    if promised + 366 <= date.max.toordinal():
        assert promised <= ends.toordinal() <= promised + 366
        assert (ends.month, ends.day) == (month, day)
    else:
        assert ends >= min(date.fromordinal(min(promised, date.max.toordinal())), date.max)


@pytest.mark.parametrize("days", [30, 31])
def test_points_end_so_many_days_after_the_last_activity(days: int) -> None:
    book = idle()
    done(book.award(10))
    book.pass_by(days=days)
    if days == 30:
        refused(book.expire(), NothingDue)
        assert done(book.hold(1)).points == 1
    else:
        refused(book.hold(1), InsufficientPoints)
        assert (done(book.expire()).kind, book.wallet().balance.available) == (EntryKind.EXPIRY, 0)


@pytest.mark.parametrize("activity", ["award", "redemption", "capture"])
def test_an_award_or_a_redemption_moves_the_last_day_of_all_lots(activity: str) -> None:
    book = idle()
    first = done(book.award(10))
    held = done(book.hold(1, ttl=LONG))
    book.pass_by(days=20)
    match activity:
        case "award":
            done(book.award(1))
        case "redemption":
            done(book.redeem(1))
        case "capture":
            done(book.capture(held.seq))
    assert ends_on(book, first.seq) == book.now.date() + 30 * DAY


@pytest.mark.parametrize("passive", ["hold", "release", "extension", "refund", "reversal", "arrival", "correction"])
def test_nothing_else_moves_it(passive: str) -> None:
    book = idle()
    first = done(book.award(50))
    done(book.award(50, wallet=BERT))
    spent, held = done(book.redeem(5)), done(book.hold(5, ttl=MINUTE * 60 * 24 * 25))
    until = ends_on(book, first.seq)
    book.pass_by(days=20)
    match passive:
        case "hold":
            done(book.hold(5))
        case "release":
            done(book.release(held.seq))
        case "extension":
            done(book.extend(held.seq, LONG))
        case "refund":
            done(book.refund(spent.seq))
        case "reversal":
            done(book.reverse(first.seq, Line(GROCER, 5)))
        case "arrival":
            done(book.deliver(done(book.transfer(5, wallet=BERT, to=ANNA))))
        case "correction":
            done(book.adjust(5))
    assert ends_on(book, first.seq) == until


def test_activity_counts_when_it_is_posted_and_not_when_the_till_says() -> None:
    book = idle()
    book.pass_by(days=20)
    award = done(book.award(10, occurred_at=micros(book.now - 10 * DAY)))
    assert ends_on(book, award.seq) == book.now.date() + 30 * DAY


def test_a_day_that_an_award_names_is_a_day_also_where_inactivity_ends_points() -> None:
    book = idle()
    until = book.now.date() + 5 * DAY
    named = done(book.award(10, until=until))
    done(book.award(10))
    book.pass_by(days=6)
    assert ends_on(book, named.seq) == until
    assert [posting.lot.seq for posting in done(book.expire()).postings] == [named.seq]


def test_the_setting_may_change_and_a_lot_keeps_its_fields() -> None:
    book = idle()
    first = done(book.award(10))
    book.programme = programme(Expiry.FIXED_PERIOD, 400)
    second = done(book.award(10))
    today = book.now.date()
    assert (ends_on(book, first.seq), ends_on(book, second.seq)) == (today + 30 * DAY, today + 400 * DAY)
    book.programme = programme(Expiry.NONE)
    assert ends_on(book, first.seq) == today + 30 * DAY


def test_points_refunded_after_inactivity_get_days_of_grace() -> None:
    book = idle()
    done(book.award(10))
    spent = done(book.redeem(10))
    book.pass_by(days=31)
    done(book.refund(spent.seq))
    assert ends_on(book, 1) == book.now.date() + 10 * DAY


def test_points_refunded_in_time_keep_the_day_that_activity_gave_them() -> None:
    book = idle()
    done(book.award(10))
    spent = done(book.redeem(10))
    until = book.now.date() + 30 * DAY
    book.pass_by(days=30)
    done(book.refund(spent.seq))
    assert ends_on(book, 1) == until


def test_held_points_do_not_end_and_on_release_they_do() -> None:
    book = idle()
    done(book.award(10))
    held = done(book.hold(6, ttl=LONG))
    book.pass_by(days=31)
    assert flows(done(book.expire())) == ["4 AVAILABLE -> EXPIRED:grocer"]
    assert flows(done(book.release(held.seq))) == ["6 HELD -> EXPIRED:grocer"]


def test_a_move_never_shortens_what_inactivity_ends() -> None:
    """The sender was active; the receiver never was."""
    book = idle()
    done(book.award(10))
    book.pass_by(days=20)
    done(book.award(1))
    until = book.now.date() + 30 * DAY
    done(book.deliver(done(book.transfer(10))))
    wallet = book.wallet(BERT)
    assert [wallet.last_day(lot, book.moment) for lot in wallet.lots.values()] == [until]
    book.on(until + DAY)
    assert done(book.expire(BERT)).points == 10


def test_the_receivers_activity_lengthens_what_inactivity_ends() -> None:
    book = idle()
    done(book.award(10))
    done(book.deliver(done(book.transfer(10))))
    book.pass_by(days=20)
    done(book.award(1, wallet=BERT, partner=FLORIST))
    wallet = book.wallet(BERT)
    assert {wallet.last_day(lot, book.moment) for lot in wallet.lots.values()} == {book.now.date() + 30 * DAY}


def test_lots_that_inactivity_ends_are_spent_before_those_that_end_later() -> None:
    book = idle()
    done(book.award(10, until=book.now.date() + 31 * DAY))
    done(book.award(10))
    done(book.award(10, until=book.now.date() + 29 * DAY))
    spent = done(book.redeem(25))
    assert [(posting.lot.seq, posting.points) for posting in spent.postings] == [(3, 10), (2, 10), (1, 5)]


def test_a_programme_may_spend_the_oldest_first() -> None:
    book = Book(programme=programme(Expiry.FIXED_PERIOD, oldest_first=True))
    done(book.award(10, until=book.now.date() + 20 * DAY))
    done(book.award(10, until=book.now.date() + DAY, occurred_at=micros(book.now) - 1))
    done(book.award(10, until=book.now.date() + DAY))
    for verb in (book.redeem, book.transfer, book.hold):
        assert len(done(verb(5)).postings) == 1
    spent = done(book.redeem(10))
    assert [(posting.lot.seq, posting.points) for posting in spent.postings] == [(1, 5), (3, 5)]


@pytest.mark.parametrize("moved", [False, True])
def test_a_wallet_knows_when_inactivity_may_have_ended_something(moved: bool) -> None:
    book = idle()
    done(book.award(10))
    wallet = book.wallet()
    if moved:
        done(book.deliver(done(book.transfer(10))))
        wallet = book.wallet(BERT)
    book.pass_by(days=30)
    assert not wallet.lapsed(book.moment)
    book.pass_by(days=1)
    assert wallet.lapsed(book.moment)


def test_a_wallet_without_such_lots_never_lapses(book: Book) -> None:
    done(book.award(10))
    book.pass_by(days=10_000)
    assert not book.wallet().lapsed(book.moment)
