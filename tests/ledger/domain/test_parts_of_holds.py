"""A hold in parts: captured bit by bit, released bit by bit, and let live longer."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.domain.entry import Balance, EntryKind
from services.ledger.domain.lots import HoldState
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.holds import (
    CaptureExceedsHold,
    HoldClosed,
    HoldEndsLater,
    HoldExpired,
    HoldNotFound,
    ReleaseExceedsHold,
)
from shared.instants import micros
from tests.ledger.domain.book import FLORIST, GROCER, MINUTE, Book, done, flows, refused, taken

JUNE, DECEMBER = date(2026, 6, 30), date(2026, 12, 31)


@pytest.fixture
def book() -> Book:
    """60 points of two lots are held, 30 of each."""
    book = Book()
    done(book.award(30, until=DECEMBER))
    done(book.award(30, until=JUNE, partner=FLORIST))
    done(book.hold(60))
    return book


HOLD = 3


def test_what_is_not_captured_stays_held_where_the_till_says_so(book: Book) -> None:
    entry = done(book.capture(HOLD, 40, keep_open=True))
    assert flows(entry) == ["30 HELD -> REDEEMED:grocer", "10 HELD -> REDEEMED:grocer"]
    assert entry.balance == Balance(held=20)
    hold = book.wallet().holds[HOLD]
    assert (hold.state, hold.left, hold.captured, hold.released) == (HoldState.OPEN, 20, 40, 0)


def test_captures_go_on_where_the_last_one_ended(book: Book) -> None:
    parts = [taken(done(book.capture(HOLD, points, keep_open=True))) for points in (20, 20, 20)]
    assert parts == [[(2, 20)], [(2, 10), (1, 10)], [(1, 20)]]
    assert book.wallet().holds[HOLD].state is HoldState.CAPTURED
    assert refused(book.capture(HOLD), HoldClosed).facts["state"] == "captured"


def test_a_capture_without_a_number_takes_what_is_left(book: Book) -> None:
    done(book.capture(HOLD, 40, keep_open=True))
    assert done(book.capture(HOLD)).points == 20


def test_a_capture_of_more_than_is_left_says_what_is_left(book: Book) -> None:
    done(book.capture(HOLD, 40, keep_open=True))
    assert refused(book.capture(HOLD, 21), CaptureExceedsHold).facts["held"] == 20


def test_a_capture_that_does_not_keep_the_rest_gives_it_back(book: Book) -> None:
    done(book.capture(HOLD, 20, keep_open=True))
    entry = done(book.capture(HOLD, 15))
    assert flows(entry) == [
        "10 HELD -> REDEEMED:grocer",
        "5 HELD -> REDEEMED:grocer",
        "25 HELD -> AVAILABLE",
    ]
    hold = book.wallet().holds[HOLD]
    assert (hold.state, hold.captured, hold.released) == (HoldState.CAPTURED, 35, 25)


def test_a_part_is_released_from_the_back(book: Book) -> None:
    entry = done(book.release(HOLD, 40))
    assert (entry.kind, entry.points, entry.balance) == (EntryKind.RELEASE, 40, Balance(40, held=20))
    assert taken(entry) == [(2, 10), (1, 30)]
    assert taken(done(book.capture(HOLD))) == [(2, 20)]


def test_a_release_of_more_than_is_left_says_what_is_left(book: Book) -> None:
    done(book.release(HOLD, 40))
    assert refused(book.release(HOLD, 21), ReleaseExceedsHold).facts["held"] == 20


def test_a_hold_of_which_nothing_was_captured_ends_as_released(book: Book) -> None:
    done(book.release(HOLD, 40))
    assert book.wallet().holds[HOLD].state is HoldState.OPEN
    done(book.release(HOLD))
    assert book.wallet().holds[HOLD].state is HoldState.RELEASED


def test_a_hold_of_which_something_was_captured_ends_as_captured(book: Book) -> None:
    done(book.capture(HOLD, 1, keep_open=True))
    done(book.release(HOLD))
    assert book.wallet().holds[HOLD].state is HoldState.CAPTURED
    refused(book.release(HOLD), HoldClosed)


def test_what_is_left_goes_back_when_its_time_is_up(book: Book) -> None:
    done(book.capture(HOLD, 40, keep_open=True))
    book.pass_by(minutes=15)
    entry = done(book.expire_hold(HOLD))
    assert (entry.points, entry.balance) == (20, Balance(20))
    refused(book.expire_hold(HOLD), NothingDue)


def test_each_capture_is_refunded_by_itself(book: Book) -> None:
    first = done(book.capture(HOLD, 40, keep_open=True))
    second = done(book.capture(HOLD))
    assert taken(done(book.refund(first.seq))) == [(1, 10), (2, 30)]
    assert taken(done(book.refund(second.seq, 5))) == [(1, 5)]


def test_a_hold_may_live_longer(book: Book) -> None:
    book.pass_by(minutes=10)
    entry = done(book.extend(HOLD, 15 * MINUTE))
    assert (entry.kind, entry.postings, entry.original) == (EntryKind.EXTENSION, (), HOLD)
    assert (entry.points, entry.balance) == (60, Balance(held=60))
    assert entry.hold_until == micros(book.now) + 15 * MINUTE == book.wallet().holds[HOLD].expires_at
    book.pass_by(minutes=14)
    refused(book.expire_hold(HOLD), NothingDue)
    assert done(book.capture(HOLD)).points == 60


@pytest.mark.parametrize("minutes", [5, 10])
def test_a_hold_is_never_shortened(book: Book, minutes: int) -> None:
    book.pass_by(minutes=5)
    refused(book.extend(HOLD, minutes * MINUTE), HoldEndsLater)


def test_a_hold_whose_time_is_up_cannot_be_revived(book: Book) -> None:
    book.pass_by(minutes=15)
    refused(book.extend(HOLD, 60 * MINUTE), HoldExpired)


def test_a_closed_hold_and_anothers_cannot_be_extended(book: Book) -> None:
    refused(book.extend(HOLD, 60 * MINUTE, partner=FLORIST), HoldNotFound)
    done(book.release(HOLD))
    refused(book.extend(HOLD, 60 * MINUTE), HoldClosed)


def test_an_extension_says_what_is_still_held(book: Book) -> None:
    done(book.capture(HOLD, 40, keep_open=True))
    assert done(book.extend(HOLD, 60 * MINUTE)).points == 20


@given(st.lists(st.tuples(st.sampled_from(["capture", "release"]), st.integers(1, 20)), max_size=12))
def test_captured_released_and_left_are_always_what_was_held(steps: list[tuple[str, int]]) -> None:
    book = Book()
    for points in (7, 11, 13):
        done(book.award(points))
    hold = book.wallet().holds[done(book.hold(29)).seq]
    for verb, points in steps:
        if points > hold.left or hold.state is not HoldState.OPEN:
            continue
        keep = {"keep_open": True} if verb == "capture" else {}
        done(getattr(book, verb)(hold.seq, points, **keep))
        assert hold.captured + hold.released + hold.left == 29
        assert sum(points for _, points in hold.pins_left) == hold.left
        assert book.wallet().balance.held == hold.left
        assert (hold.state is HoldState.OPEN) == (hold.left > 0)
    assert sum(spent.points for spent in book.wallet().redemptions.values()) == hold.captured
    assert book.wallet().balance.available == 31 - 29 + hold.released
    assert hold.partner == GROCER
