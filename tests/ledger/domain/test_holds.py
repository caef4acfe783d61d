"""The end of a hold: captured, wholly or in part, released, or over by time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from services.ledger.domain.entry import Entry
from services.ledger.domain.lots import HoldState
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.holds import CaptureExceedsHold, HoldClosed, HoldExpired, HoldNotFound
from services.ledger.domain.refusals.spending import InsufficientPoints
from shared.refusal import Refusal
from tests.ledger.domain.book import FLORIST, MINUTE, Book, done, flows, refused, taken

JUNE, DECEMBER = date(2026, 6, 30), date(2026, 12, 31)

Closing = Callable[[Book, int], "Entry | Refusal"]
CLOSINGS: list[Closing] = [Book.capture, Book.release]


def test_a_capture_spends_what_was_held(book: Book) -> None:
    done(book.award(100))
    held = done(book.hold(30))
    entry = done(book.capture(held.seq))
    assert flows(entry) == ["30 HELD -> REDEEMED:grocer"]
    assert (entry.original, entry.points, entry.balance) == (held.seq, 30, (70, 0, 0, 0))
    assert book.wallet().holds[held.seq].state is HoldState.CAPTURED


def test_a_partial_capture_gives_the_rest_back_in_the_same_entry(book: Book) -> None:
    done(book.award(20, until=JUNE))
    done(book.award(20, until=DECEMBER))
    held = done(book.hold(35))
    entry = done(book.capture(held.seq, 25))
    assert flows(entry) == ["20 HELD -> REDEEMED:grocer", "5 HELD -> REDEEMED:grocer", "10 HELD -> AVAILABLE"]
    assert taken(entry) == [(1, 20), (2, 5), (2, 10)]
    assert (entry.points, entry.balance) == (25, (15, 0, 0, 0))
    assert (book.wallet().holds[held.seq].points, book.wallet().holds[held.seq].captured) == (35, 25)


def test_a_capture_of_one_lot_gives_all_the_others_back(book: Book) -> None:
    done(book.award(20, until=JUNE))
    done(book.award(20, until=DECEMBER))
    held = done(book.hold(40))
    entry = done(book.capture(held.seq, 20))
    assert taken(entry) == [(1, 20), (2, 20)]
    assert entry.balance.available == 20


def test_nothing_beyond_the_hold_can_be_captured(book: Book) -> None:
    done(book.award(100))
    held = done(book.hold(30))
    assert refused(book.capture(held.seq, 31), CaptureExceedsHold).metadata == {
        "hold": "7-2",
        "held": "30",
        "requested": "31",
    }


def test_a_release_gives_every_point_back_to_its_lot(book: Book) -> None:
    done(book.award(20, until=JUNE))
    done(book.award(20, until=DECEMBER))
    lots = {id_: lot.available for id_, lot in book.wallet().lots.items()}
    held = done(book.hold(35))
    entry = done(book.release(held.seq))
    assert flows(entry) == ["20 HELD -> AVAILABLE", "15 HELD -> AVAILABLE"]
    assert {id_: lot.available for id_, lot in book.wallet().lots.items()} == lots


@pytest.mark.parametrize("close", CLOSINGS)
def test_held_points_outlive_their_day_only_as_long_as_they_are_held(book: Book, close: Closing) -> None:
    done(book.award(20, until=JUNE))
    done(book.award(20, until=DECEMBER))
    book.on(JUNE)
    held = done(book.hold(40, ttl=3 * 24 * 60 * MINUTE))
    book.on(date(2026, 7, 1))
    refused(book.expire(), NothingDue)
    if close is Book.capture:
        assert flows(done(book.capture(held.seq, 15))) == [
            "15 HELD -> REDEEMED:grocer",
            "5 HELD -> EXPIRED:grocer",
            "20 HELD -> AVAILABLE",
        ]
    else:
        assert flows(done(book.release(held.seq))) == ["20 HELD -> EXPIRED:grocer", "20 HELD -> AVAILABLE"]
    assert book.wallet().balance == (20, 0, 0, 0)


@pytest.mark.parametrize("first", CLOSINGS)
@pytest.mark.parametrize("second", CLOSINGS)
def test_a_hold_ends_once(book: Book, first: Closing, second: Closing) -> None:
    done(book.award(100))
    held = done(book.hold(30))
    done(first(book, held.seq))
    state = "captured" if first is Book.capture else "released"
    assert refused(second(book, held.seq), HoldClosed).metadata == {"hold": "7-2", "state": state}


@pytest.mark.parametrize("close", CLOSINGS)
def test_a_hold_whose_time_is_up_can_neither_be_captured_nor_released(book: Book, close: Closing) -> None:
    done(book.award(100))
    held = done(book.hold(30, ttl=MINUTE))
    book.pass_by(minutes=1)
    assert refused(close(book, held.seq), HoldExpired).metadata["expiredAt"] == "2026-03-01T12:01:00+00:00"
    done(book.expire_hold(held.seq))
    refused(close(book, held.seq), HoldExpired)


@pytest.mark.parametrize("close", CLOSINGS)
def test_a_hold_can_be_ended_until_its_very_last_moment(book: Book, close: Closing) -> None:
    done(book.award(100))
    held = done(book.hold(30, ttl=MINUTE))
    book.pass_by(microseconds=MINUTE - 1)
    done(close(book, held.seq))


def test_a_hold_that_was_captured_says_so_after_its_time_too(book: Book) -> None:
    done(book.award(100))
    held = done(book.hold(30, ttl=MINUTE))
    done(book.capture(held.seq))
    book.pass_by(minutes=2)
    assert refused(book.release(held.seq), HoldClosed).facts["state"] == "captured"


def test_time_ends_a_hold_once_and_not_before(book: Book) -> None:
    done(book.award(100))
    held = done(book.hold(30, ttl=MINUTE))
    refused(book.expire_hold(held.seq), NothingDue)
    book.pass_by(minutes=1)
    entry = done(book.expire_hold(held.seq))
    assert (entry.partner, entry.original, entry.balance) == ("operator", held.seq, (100, 0, 0, 0))
    refused(book.expire_hold(held.seq), NothingDue)


def test_held_points_are_not_there_for_another_hold(book: Book) -> None:
    done(book.award(100))
    done(book.hold(60))
    assert refused(book.hold(41), InsufficientPoints).facts["available"] == 40


@pytest.mark.parametrize("close", CLOSINGS)
def test_what_is_no_hold_cannot_be_captured_or_released(book: Book, close: Closing) -> None:
    award = done(book.award(100))
    refused(close(book, award.seq), HoldNotFound)
    refused(close(book, 99), HoldNotFound)


@pytest.mark.parametrize("verb", ["capture", "release"])
def test_another_partners_hold_looks_like_none(book: Book, verb: str) -> None:
    done(book.award(100))
    held = done(book.hold(30))
    theirs = refused(getattr(book, verb)(held.seq, partner=FLORIST), HoldNotFound)
    nobodys = refused(getattr(book, verb)(99, partner=FLORIST), HoldNotFound)
    assert str(theirs).replace("7-2", "7-99") == str(nobodys)
