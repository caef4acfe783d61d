"""Points that are awarded and not yet usable: until their time comes, or the partner says so."""

from __future__ import annotations

from datetime import date, timedelta

from services.ledger.domain.entry import Balance, EntryKind, Unit
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.entries import EntryNotFound, NotAnAward, NothingPending
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.terms import Policy
from services.ledger.domain.wish import Line
from shared.instants import micros
from tests.ledger.domain.book import FLORIST, GROCER, Book, done, flows, refused


def waiting(book: Book, points: int, *, issuer: str = GROCER, until: date | None = None, **wait: float) -> Line:
    """A line whose points become available after a while."""
    return Line(issuer, points, until, available_from=micros(book.now + timedelta(**wait)))


def test_pending_points_are_in_the_balance_and_cannot_be_spent(book: Book) -> None:
    entry = done(book.award_lines((waiting(book, 30, days=14), Line(FLORIST, 5))))
    assert entry.balance == Balance(available=5, pending=30)
    assert flows(entry) == ["30 ISSUED:grocer -> PENDING", "5 ISSUED:florist -> AVAILABLE"]
    refused(book.redeem(6), InsufficientPoints)
    refused(book.transfer(6), InsufficientPoints)


def test_the_issuers_contract_says_how_long_points_wait(book: Book) -> None:
    book.policies[GROCER] = Policy(pending_days=14)
    award = done(book.award_lines((Line(GROCER, 30), Line(FLORIST, 5))))
    assert award.balance == Balance(available=5, pending=30)
    book.pass_by(days=14, microseconds=-1)
    refused(book.clear(), NothingDue)
    book.pass_by(microseconds=1)
    entry = done(book.clear())
    assert (entry.kind, flows(entry)) == (EntryKind.PENDING_RELEASE, ["30 PENDING -> AVAILABLE"])
    assert entry.balance == Balance(35)


def test_the_wait_counts_from_the_sale_and_not_from_when_it_was_sent(book: Book) -> None:
    book.policies[GROCER] = Policy(pending_days=14)
    assert done(book.award(30, occurred_at=micros(book.now - timedelta(days=14)))).balance == Balance(30)
    assert done(book.award(30, occurred_at=micros(book.now - timedelta(days=13)))).balance == Balance(30, 30)


def test_an_award_that_names_its_own_time_waits_as_long_as_it_says(book: Book) -> None:
    book.policies[GROCER] = Policy(pending_days=14)
    assert done(book.award_lines((waiting(book, 30, seconds=0),))).balance == Balance(available=30)
    assert done(book.award_lines((waiting(book, 30, days=90),))).balance == Balance(30, 30)
    book.pass_by(days=89)
    refused(book.clear(), NothingDue)


def test_an_action_of_the_partner_ends_the_wait_of_the_whole_award(book: Book) -> None:
    award = done(book.award_lines((waiting(book, 30, days=14), waiting(book, 5, issuer=FLORIST, days=20))))
    done(book.award_lines((waiting(book, 7, days=14),)))
    entry = done(book.release_pending(award.seq))
    assert entry.original == award.seq
    assert flows(entry) == ["30 PENDING -> AVAILABLE", "5 PENDING -> AVAILABLE"]
    assert entry.balance == Balance(available=35, pending=7)
    assert refused(book.release_pending(award.seq), NothingPending).facts["entry"] == award.place


def test_only_the_partner_that_awarded_ends_the_wait(book: Book) -> None:
    award = done(book.award_lines((waiting(book, 30, days=14),)))
    refusal = refused(book.release_pending(award.seq, partner=FLORIST), EntryNotFound)
    assert refusal.facts == {"entry": award.place}
    done(book.award(5))
    spent = done(book.redeem(5))
    assert refused(book.release_pending(spent.seq), NotAnAward).facts == {"entry": spent.place}


def test_an_award_of_several_units_becomes_available_at_once_by_action_and_unit_by_unit_by_time(book: Book) -> None:
    stamps = Line(GROCER, 3, unit=Unit.STAMPS, available_from=micros(book.now + timedelta(days=1)))
    lines = (stamps, waiting(book, 30, days=1))
    by_action = done(book.release_pending(done(book.award_lines(lines)).seq))
    assert (by_action.unit, by_action.points, by_action.others) == (Unit.POINTS, 30, ((Unit.STAMPS, Balance(3)),))
    done(book.award_lines(lines))
    book.pass_by(days=1)
    by_time = [done(book.clear()) for _ in range(2)]
    assert [(entry.unit, entry.points, entry.others) for entry in by_time] == [
        (Unit.POINTS, 30, ()),
        (Unit.STAMPS, 3, ()),
    ]
    refused(book.clear(), NothingDue)


def test_points_whose_last_day_passed_while_they_waited_end_when_the_wait_does(book: Book) -> None:
    until = book.now.date() + timedelta(days=2)
    done(book.award_lines((waiting(book, 30, until=until, days=3),)))
    book.pass_by(days=3)
    refused(book.expire(), NothingDue)
    entry = done(book.clear())
    assert (flows(entry), entry.balance) == (["30 PENDING -> EXPIRED:grocer"], Balance())


def test_the_oldest_wait_ends_first(book: Book) -> None:
    for days in (2, 1):
        done(book.award_lines((waiting(book, days, days=days),), occurred_at=micros(book.now - timedelta(days=days))))
    book.pass_by(days=2)
    assert [posting.points for posting in done(book.clear()).postings] == [2, 1]


def test_a_reversal_takes_what_is_pending_first(book: Book) -> None:
    award = done(book.award_lines((waiting(book, 30, days=14), Line(FLORIST, 10))))
    done(book.award(50))
    entry = done(book.reverse(award.seq, Line(GROCER, 20)))
    assert flows(entry) == ["20 PENDING -> ISSUED:grocer"]
    assert entry.balance == Balance(available=60, pending=10)
    rest = done(book.reverse(award.seq))
    assert flows(rest) == ["10 PENDING -> ISSUED:grocer", "10 AVAILABLE -> ISSUED:florist"]


def test_pending_points_are_not_taken_for_another_award(book: Book) -> None:
    """They belong to a sale of their own, whose goods may still come back."""
    spent = done(book.award(20))
    done(book.redeem(20))
    done(book.award_lines((waiting(book, 30, days=14),)))
    entry = done(book.reverse(spent.seq))
    assert (entry.recovered_points, entry.balance) == (0, Balance(pending=30))
