"""A redemption undone: the last lot taken gets its points back first, with its own expiry."""

from __future__ import annotations

from datetime import date

import pytest

from services.ledger.domain.entry import Entry, LotId
from services.ledger.domain.points import MOST
from services.ledger.domain.refusals.awarding import BalanceOutOfRange
from services.ledger.domain.refusals.entries import EntryNotFound, NotARedemption, RefundExceedsRedemption
from tests.ledger.domain.book import FLORIST, Book, done, flows, refused, taken
from tests.support.vectors import example

JUNE, DECEMBER = date(2026, 6, 30), date(2026, 12, 31)


def test_e9_a_refund_restores_the_original_lots_in_reverse_order() -> None:
    e9 = example("E9")
    given, (redeem, refund), then = e9["given"], e9["when"], e9["then"]
    book = Book(grace_days=given["refund_grace_days"])
    seqs = {
        lot["lot"]: done(book.award(lot["points"], until=date.fromisoformat(lot["expires"]))).seq
        for lot in given["lots"]
    }
    named = {seq: name for name, seq in seqs.items()}

    def by_name(entry: Entry) -> list[tuple[str, int]]:
        return [(named[seq], points) for seq, points in taken(entry)]

    book.on(date.fromisoformat(redeem["on"]))
    redemption = done(book.redeem(redeem["points"]))
    assert dict(by_name(redemption)) == then["consumed"]

    book.on(date.fromisoformat(refund["on"]))
    entry = done(book.refund(redemption.seq, refund["points"]))
    assert by_name(entry) == [(part["lot"], part["points"]) for part in then["restored"]]
    lots = [book.wallet().lots[LotId(seqs[lot["lot"]], 0)] for lot in then["lots"]]
    assert [(lot.available, str(lot.expires_on)) for lot in lots] == [
        (lot["points"], lot["expires"]) for lot in then["lots"]
    ]
    assert entry.balance.available == then["balance"]


def test_refunds_go_on_where_the_one_before_ended(book: Book) -> None:
    done(book.award(10, until=JUNE))
    done(book.award(10, until=DECEMBER))
    redemption = done(book.redeem(20))
    parts = [taken(done(book.refund(redemption.seq, points))) for points in (4, 8, 8)]
    assert parts == [[(2, 4)], [(2, 6), (1, 2)], [(1, 8)]]


def test_no_points_named_refund_all_that_is_left(book: Book) -> None:
    done(book.award(10))
    redemption = done(book.redeem(10))
    done(book.refund(redemption.seq, 3))
    entry = done(book.refund(redemption.seq))
    assert (entry.points, flows(entry)) == (7, ["7 REDEEMED:grocer -> AVAILABLE"])
    assert refused(book.refund(redemption.seq), RefundExceedsRedemption).facts["refundable"] == 0


def test_refunds_together_never_exceed_the_redemption(book: Book) -> None:
    done(book.award(10))
    redemption = done(book.redeem(10))
    done(book.refund(redemption.seq, 3))
    assert refused(book.refund(redemption.seq, 8), RefundExceedsRedemption).metadata == {
        "entry": "7-2",
        "refundable": "7",
        "requested": "8",
    }


def test_a_partial_capture_can_be_refunded_up_to_what_was_captured(book: Book) -> None:
    done(book.award(10, until=JUNE))
    done(book.award(10, until=DECEMBER))
    held = done(book.hold(20))
    capture = done(book.capture(held.seq, 15))
    refused(book.refund(capture.seq, 16), RefundExceedsRedemption)
    assert taken(done(book.refund(capture.seq, 15))) == [(2, 5), (1, 10)]


def test_an_expiry_that_was_extended_once_is_not_shortened(book: Book) -> None:
    done(book.award(10, until=JUNE))
    redemption = done(book.redeem(10))
    book.on(date(2026, 7, 10))
    done(book.refund(redemption.seq, 1))
    book.on(date(2026, 7, 20))
    assert done(book.refund(redemption.seq, 1)).postings[0].expires_on == date(2026, 8, 9)
    book.on(date(2026, 8, 10))
    assert done(book.refund(redemption.seq, 1)).postings[0].expires_on == date(2026, 9, 9)


def test_without_grace_a_lot_past_its_date_can_be_used_that_day() -> None:
    book = Book(grace_days=0)
    done(book.award(10, until=JUNE))
    redemption = done(book.redeem(10))
    book.on(date(2026, 7, 10))
    assert done(book.refund(redemption.seq)).postings[0].expires_on == date(2026, 7, 10)
    assert done(book.redeem(10)).points == 10


def test_a_refund_may_not_lift_the_balance_beyond_the_largest_number(book: Book) -> None:
    done(book.award(10))
    redemption = done(book.redeem(10))
    done(book.award(MOST - 9))
    held = done(book.hold(100))
    refused(book.refund(redemption.seq), BalanceOutOfRange)
    done(book.refund(redemption.seq, 9))
    done(book.release(held.seq))


@pytest.mark.parametrize("kind", ["award", "hold"])
def test_only_what_was_spent_can_be_refunded(book: Book, kind: str) -> None:
    entry = done(book.award(10))
    if kind == "hold":
        entry = done(book.hold(5))
    refused(book.refund(entry.seq), NotARedemption)


def test_another_partners_redemption_looks_like_none(book: Book) -> None:
    done(book.award(10))
    redemption = done(book.redeem(10))
    theirs = refused(book.refund(redemption.seq, partner=FLORIST), EntryNotFound)
    nobodys = refused(book.refund(99, partner=FLORIST), EntryNotFound)
    assert str(theirs).replace("7-2", "7-99") == str(nobodys)
