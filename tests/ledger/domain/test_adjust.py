"""Corrections by hand: a reason, a limit, and a second person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from services.ledger.domain.entry import Balance, EntryKind, Unit
from services.ledger.domain.programme import Expiry
from services.ledger.domain.refusals.adjustments import AdjustmentAboveLimit, AdjustmentNeedsSecondPerson
from services.ledger.domain.refusals.awarding import AlreadyPastExpiry, BalanceOutOfRange
from services.ledger.domain.refusals.spending import InsufficientPoints
from tests.ledger.domain.book import FLORIST, GROCER, Book, done, flows, refused, taken


def test_points_that_are_given_are_a_new_lot_of_the_issuer(book: Book) -> None:
    entry = done(book.adjust(25, issuer=FLORIST, until=date(2027, 12, 31)))
    assert (entry.kind, flows(entry)) == (EntryKind.ADJUSTMENT, ["25 ADJUSTED:florist -> AVAILABLE"])
    assert (entry.reason, entry.proposed_by, entry.approved_by) == ("GOODWILL", "users/one", "users/two")
    [lot] = book.wallet().lots.values()
    assert (lot.issuer, lot.available, lot.expires_on) == (FLORIST, 25, date(2027, 12, 31))


def test_given_points_end_as_the_programme_says_where_nobody_says_otherwise(book: Book) -> None:
    done(book.adjust(25))
    [lot] = book.wallet().lots.values()
    assert lot.expires_on == book.now.date() + timedelta(days=730)


def test_given_points_are_not_over_yet(book: Book) -> None:
    refused(book.adjust(25, until=book.now.date() - timedelta(days=1)), AlreadyPastExpiry)
    done(book.adjust(25, until=book.now.date()))


def test_points_of_one_issuer_are_taken_in_spending_order_and_nobody_elses(book: Book) -> None:
    done(book.award(10, until=date(2026, 12, 31)))
    done(book.award(10, until=date(2026, 6, 30)))
    done(book.award(50, partner=FLORIST))
    entry = done(book.adjust(15, taking=True))
    assert taken(entry) == [(2, 10), (1, 5)]
    assert flows(entry) == ["10 AVAILABLE -> ADJUSTED:grocer", "5 AVAILABLE -> ADJUSTED:grocer"]
    facts = refused(book.adjust(6, taking=True), InsufficientPoints).facts
    assert facts["available"] == 5


def test_whoever_proposed_it_does_not_approve_it(book: Book) -> None:
    refused(book.adjust(25, by=("users/one", "users/one")), AdjustmentNeedsSecondPerson)


def test_the_programmes_limit_holds_for_giving_and_for_taking(book: Book) -> None:
    done(book.award(100))
    book.programme = replace(book.programme, adjustment_points=20)
    for taking in (False, True):
        facts = refused(book.adjust(21, taking=taking), AdjustmentAboveLimit).facts
        assert facts == {"limit": 20, "requested": 21}
        done(book.adjust(20, taking=taking))


def test_an_adjustment_is_of_one_unit(book: Book) -> None:
    done(book.award(10))
    entry = done(book.adjust(3, unit=Unit.STAMPS))
    assert (entry.unit, entry.balance) == (Unit.STAMPS, Balance(3))
    refused(book.adjust(4, unit=Unit.STAMPS, taking=True), InsufficientPoints)
    assert done(book.adjust(3, unit=Unit.STAMPS, taking=True)).balance == Balance()
    assert book.wallet().balance == Balance(10)


def test_no_balance_grows_beyond_its_numbers_by_an_adjustment(book: Book) -> None:
    most = 2**63 - 1
    done(book.award(most - 1))
    refused(book.adjust(2), BalanceOutOfRange)
    assert done(book.adjust(1)).balance.available == most


def test_given_points_need_no_allowance(book: Book) -> None:
    book.allowances[GROCER] = 0
    done(book.adjust(25))


def test_given_points_end_by_inactivity_where_the_programme_says_so(book: Book) -> None:
    book.programme = replace(book.programme, expiry=Expiry.INACTIVITY, lot_days=30)
    done(book.adjust(25))
    done(book.adjust(25, until=book.now.date() + timedelta(days=99)))
    idle, named = book.wallet().lots.values()
    assert (idle.idle_days, idle.expires_on) == (30, None)
    assert (named.idle_days, named.expires_on) == (None, book.now.date() + timedelta(days=99))


def test_a_refused_adjustment_says_why(book: Book) -> None:
    yesterday, today = book.now.date() - timedelta(days=1), book.now.date()
    refusal = refused(book.adjust(25, until=yesterday), AlreadyPastExpiry)
    assert refusal.facts == {"field": "expires_on", "expires_on": yesterday, "today": today}
    refused_ = refused(book.adjust(25, by=("users/one", "users/one")), AdjustmentNeedsSecondPerson)
    assert refused_.facts == {"proposed_by": "users/one"}


def test_points_are_taken_in_the_order_of_the_programme(book: Book) -> None:
    book.programme = replace(book.programme, oldest_first=True)
    done(book.award(10, until=date(2026, 12, 31)))
    done(book.award(10, until=date(2026, 6, 30)))
    entry = done(book.adjust(15, taking=True))
    assert (entry.points, taken(entry)) == (15, [(1, 10), (2, 5)])
