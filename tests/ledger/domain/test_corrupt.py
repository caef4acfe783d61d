"""What cannot follow from the journal before it is not taken in, and the refusal says which entry and why."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from services.ledger.domain.entry import (
    AVAILABLE,
    HELD,
    PENDING,
    Account,
    Entry,
    EntryKind,
    LotId,
    Posting,
    Unit,
    expired,
    issued,
    owed,
    redeemed,
)
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.domain.terms import NegativeBalance, Policy
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import Line
from tests.ledger.domain.book import BERT, FLORIST, GROCER, Book, done


@pytest.fixture
def book() -> Book:
    """An award of two lines, 20 of it held, 30 spent; and what somebody owes of a second."""
    book = Book()
    book.policies[GROCER] = Policy(negative_balance=NegativeBalance.ALLOW_NEGATIVE)
    done(book.award_lines((Line(GROCER, 60), Line(FLORIST, 40))))
    done(book.hold(20))
    done(book.redeem(30))
    return book


FIRST = LotId(1, 0)


def moving(debit: Account, credit: Account, points: int, lot: LotId = FIRST, issuer: str = GROCER) -> Posting:
    return Posting(debit, credit, points, lot, issuer, None)


def refusal_of(book: Book, entry: Entry) -> JournalCorrupt:
    """The refusal; the wallet is a copy, for it may be half changed."""
    with pytest.raises(JournalCorrupt) as caught:
        deepcopy(book.wallet()).fold(entry)
    assert caught.value.facts["entry"] == entry.place
    return caught.value


def next_entry(book: Book, kind: EntryKind, *postings: Posting, points: int = 0, original: int | None = None) -> Entry:
    return replace(
        book.entries[-1],
        seq=len(book.entries) + 1,
        kind=kind,
        postings=postings,
        points=points or sum(posting.points for posting in postings),
        original=original,
    )


CASES: dict[str, tuple[Callable[[Book], Entry], str]] = {
    "more is spent than there is": (
        lambda b: next_entry(b, EntryKind.REDEMPTION, moving(AVAILABLE, redeemed(GROCER), 51)),
        "the wallet's balance would be negative",
    ),
    "more of a lot is spent than it has": (
        lambda b: next_entry(b, EntryKind.REDEMPTION, moving(AVAILABLE, redeemed(GROCER), 50)),
        "lot 1.0 would be negative",
    ),
    "more of a lot is released than is held of it": (
        lambda b: next_entry(b, EntryKind.RELEASE, moving(HELD, AVAILABLE, 1, LotId(1, 1), FLORIST), original=2),
        "lot 1.1 would be negative",
    ),
    "something is pending no more that never was": (
        lambda b: next_entry(b, EntryKind.PENDING_RELEASE, moving(PENDING, AVAILABLE, 1)),
        "the wallet's balance would be negative",
    ),
    "a debt is repaid that nobody has": (
        lambda b: next_entry(b, EntryKind.AWARD, moving(AVAILABLE, owed(GROCER), 1)),
        "the wallet's balance would be negative",
    ),
    "points come from a lot that nobody made": (
        lambda b: next_entry(b, EntryKind.EXPIRY, moving(AVAILABLE, expired(GROCER), 1, LotId(9, 0))),
        "lot 9.0 is unknown",
    ),
    "a lot is said to be another issuer's": (
        lambda b: next_entry(b, EntryKind.EXPIRY, moving(AVAILABLE, expired(FLORIST), 1, LotId(1, 0), FLORIST)),
        "lot 1.0 is of grocer, in POINTS",
    ),
    "a debt is for a lot that nobody made": (
        lambda b: next_entry(
            b, EntryKind.REVERSAL, replace(moving(owed(GROCER), issued(GROCER), 1), for_lot=LotId(9, 0)), original=1
        ),
        "lot 9.0 is unknown",
    ),
    "more is refunded than was spent": (
        lambda b: next_entry(b, EntryKind.REFUND, moving(redeemed(GROCER), AVAILABLE, 31), original=3),
        "more is refunded than was spent",
    ),
    "a reversal undoes more than was awarded": (
        lambda b: next_entry(
            b,
            EntryKind.REVERSAL,
            moving(AVAILABLE, issued(GROCER), 10),
            moving(owed(GROCER), issued(GROCER), 51),
            original=1,
        ),
        "more of lot 1.0 is undone than was awarded",
    ),
    "a reversal undoes a line that the award has not": (
        lambda b: next_entry(b, EntryKind.REVERSAL, moving(AVAILABLE, issued("baker"), 1), original=1),
        "",
    ),
    "a merge brings nobody": (
        lambda b: next_entry(b, EntryKind.MERGE_IN),
        "it does not say which wallet was merged",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_entry_that_does_not_follow_is_named(book: Book, case: str) -> None:
    make, detail = CASES[case]
    entry = make(book)
    if not detail:  # entries of before `for_lot` name their line by the issuer; this one names nobody's
        entry = replace(entry, postings=(replace(entry.postings[0], for_lot=LotId(8, 0)),))
        detail = "ISSUED:baker is no line of the award"
    assert refusal_of(book, entry).facts["detail"] == detail


def test_a_hold_is_not_ended_further_than_it_goes(book: Book) -> None:
    done(book.hold(5))
    entry = next_entry(book, EntryKind.RELEASE, moving(HELD, AVAILABLE, 20), original=4)
    assert refusal_of(book, entry).facts["detail"] == "more of hold 4 is ended than was held"


def test_a_lot_is_of_one_unit(book: Book) -> None:
    done(book.award_lines((Line(GROCER, 5, unit=Unit.STAMPS),)))
    entry = next_entry(book, EntryKind.EXPIRY, replace(moving(AVAILABLE, expired(GROCER), 1), unit=Unit.STAMPS))
    assert refusal_of(book, entry).facts["detail"] == "lot 1.0 is of grocer, in POINTS"


@pytest.mark.parametrize("account", [AVAILABLE, PENDING, HELD, owed(GROCER)])
def test_no_lot_goes_below_zero_in_any_account(account: Account) -> None:
    """Another lot has enough in that account, so the balance alone would not tell."""
    book = Book()
    book.policies[GROCER] = Policy(negative_balance=NegativeBalance.ALLOW_NEGATIVE)
    now = book.moment.at
    if account == PENDING:
        done(book.award_lines((Line(GROCER, 10, available_from=now + 1),)))
    elif account == HELD:
        done(book.award(10))
        done(book.hold(10))
    elif account == AVAILABLE:
        done(book.award(10))
    else:
        award = done(book.award(10))
        done(book.redeem(10))
        done(book.reverse(award.seq))
    done(book.award_lines((Line(GROCER, 1, unit=Unit.TICKETS),)))
    done(book.award_lines((Line(GROCER, 10, available_from=now + 1),)))
    empty = LotId(len(book.entries), 0)
    wallet = deepcopy(book.wallet())
    lot = wallet.lots[empty]
    lot.pending, lot.available, lot.held = 0, 0, 0
    debit, credit = (issued(GROCER), account) if account.party else (account, expired(GROCER))
    with pytest.raises(JournalCorrupt, match="would be negative"):
        wallet.fold(next_entry(book, EntryKind.EXPIRY, moving(debit, credit, 5, empty)))


def test_an_old_reversal_names_its_line_by_the_issuer(book: Book) -> None:
    """Entries of the first release do not say `for_lot`: then an issuer stood in one line only."""
    postings = (
        moving(AVAILABLE, issued(FLORIST), 5),
        moving(AVAILABLE, issued(GROCER), 5),
        moving(AVAILABLE, issued(FLORIST), 3, LotId(1, 1), FLORIST),
    )
    wallet = deepcopy(book.wallet())
    wallet.fold(next_entry(book, EntryKind.REVERSAL, *postings, original=1))
    assert [lot.undone for lot in wallet.award_lots(1)] == [5, 8]


def test_a_wallet_that_nobody_touched_is_empty() -> None:
    assert Wallet(7, BERT) == Wallet(7, BERT)
    assert Wallet(7, BERT).balance.total == 0
