"""What an entry takes over from its wish and from its place, whatever the verb."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.ledger.domain.entry import AVAILABLE, EntryKind, LotId, Posting, ReceiptRef, issued
from services.ledger.domain.points import MOST
from services.ledger.domain.wish import AwardWish, CaptureWish, HoldWish, Line, RedeemWish, RefundWish, Wish
from tests.ledger.domain.book import ANNA, BUCKET, GROCER, MINUTE, Book, done

RECEIPT = ReceiptRef("S1", "T1", date(2026, 3, 1), "1001")
ID = UUID(int=77)


def award(**more: object) -> AwardWish:
    wish = AwardWish(bucket=BUCKET, partner=GROCER, request_id=ID, wallet=ANNA, lines=(Line(GROCER, 10),))
    return replace(wish, **more)  # type: ignore[arg-type]  # fields of the wish


WISHES: list[Wish] = [
    award(),
    HoldWish(bucket=BUCKET, partner=GROCER, request_id=ID, wallet=ANNA, points=5, ttl=MINUTE),
    RedeemWish(bucket=BUCKET, partner=GROCER, request_id=ID, wallet=ANNA, points=5),
    CaptureWish(bucket=BUCKET, partner=GROCER, request_id=ID, original=2),
    RefundWish(bucket=BUCKET, partner=GROCER, request_id=ID, original=3),
]


@pytest.fixture
def book() -> Book:
    book = Book()
    done(book.award(100))
    done(book.hold(10))
    done(book.redeem(10))
    return book


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_an_entry_names_its_request_and_its_place(book: Book, wish: Wish) -> None:
    entry = done(book.apply(wish))
    assert (entry.request_id, entry.request_hash, entry.partner) == (ID, wish.request_hash, GROCER)
    assert (entry.bucket, entry.seq, entry.wallet) == (BUCKET, 4, ANNA)
    assert entry.posted_at == entry.occurred_at == book.moment.at


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_what_happened_earlier_is_posted_now(book: Book, wish: Wish) -> None:
    earlier = book.moment.at - 60 * MINUTE
    entry = done(book.apply(replace(wish, occurred_at=earlier)))
    assert (entry.occurred_at, entry.posted_at) == (earlier, book.moment.at)


def test_awards_redemptions_and_captures_name_their_receipt(book: Book) -> None:
    for wish in (award(receipt=RECEIPT), replace(WISHES[2], receipt=RECEIPT), replace(WISHES[3], receipt=RECEIPT)):  # type: ignore[call-arg]  # they have one
        assert done(book.apply(wish)).receipt == RECEIPT


def test_a_hold_names_its_till(book: Book) -> None:
    wish = replace(WISHES[1], store="S1", terminal="T9")  # type: ignore[call-arg]  # a hold has them
    entry = done(book.apply(wish))
    assert (entry.kind, entry.store, entry.terminal) == (EntryKind.HOLD, "S1", "T9")


def test_time_never_goes_back_in_a_bucket(book: Book) -> None:
    """A clock that was set back makes nothing look older than what is there."""
    newest = book.entries[-1].posted_at
    book.pass_by(hours=-1)
    entry = done(book.award(1))
    assert entry.posted_at == entry.occurred_at == newest
    book.pass_by(hours=2)
    assert done(book.award(1)).posted_at == book.moment.at


@pytest.mark.parametrize("points", [1, MOST])
def test_a_posting_takes_every_amount_that_there_is(points: int) -> None:
    assert Posting(issued(GROCER), AVAILABLE, points, LotId(1, 0), GROCER, None).points == points


@pytest.mark.parametrize("points", [-1, 0, MOST + 1])
def test_a_posting_of_nothing_or_too_much_cannot_be_said(points: int) -> None:
    with pytest.raises(ValueError, match="points must be"):
        Posting(issued(GROCER), AVAILABLE, points, LotId(1, 0), GROCER, None)
