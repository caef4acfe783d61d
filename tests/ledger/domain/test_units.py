"""Points, tier points, stamps and tickets lie in one wallet and never mix."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.ledger.domain.entry import Balance, Unit
from services.ledger.domain.refusals.awarding import BalanceOutOfRange
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.entries import ReversalExceedsAward
from services.ledger.domain.refusals.spending import InsufficientPoints
from services.ledger.domain.wish import Line
from tests.ledger.domain.book import FLORIST, GROCER, Book, done, flows, refused

BOTH = (Line(GROCER, 3, unit=Unit.STAMPS), Line(GROCER, 50), Line(GROCER, 20, unit=Unit.QUALIFYING))


def test_an_award_of_several_units_speaks_of_the_first_and_adds_the_others(book: Book) -> None:
    entry = done(book.award_lines(BOTH))
    assert (entry.unit, entry.points, entry.balance) == (Unit.POINTS, 50, Balance(50))
    assert entry.others == ((Unit.QUALIFYING, Balance(20)), (Unit.STAMPS, Balance(3)))
    assert [posting.unit for posting in entry.postings] == [Unit.STAMPS, Unit.POINTS, Unit.QUALIFYING]


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_goes_its_whole_way_alone(book: Book, unit: Unit) -> None:
    for each in Unit:
        done(book.award_lines((Line(GROCER, 10, unit=each),)))
    held = done(book.hold(6, unit=unit))
    assert (held.unit, held.balance, held.others) == (unit, Balance(4, held=6), ())
    captured = done(book.capture(held.seq, 4))
    assert (captured.unit, captured.balance) == (unit, Balance(6))
    refunded = done(book.refund(captured.seq, 3))
    assert (refunded.unit, refunded.balance) == (unit, Balance(9))
    released = done(book.release(done(book.hold(2, unit=unit)).seq))
    assert (released.unit, released.balance) == (unit, Balance(9))
    redeemed = done(book.redeem(9, unit=unit))
    assert (redeemed.unit, redeemed.balance) == (unit, Balance())
    refused(book.redeem(1, unit=unit), InsufficientPoints)
    assert all(book.wallet().of(each) == Balance(10) for each in Unit if each is not unit)


def test_a_reversal_undoes_every_unit_of_its_award(book: Book) -> None:
    award = done(book.award_lines(BOTH))
    entry = done(book.reverse(award.seq))
    assert (entry.unit, entry.points, entry.balance) == (Unit.POINTS, 50, Balance())
    assert entry.others == ((Unit.QUALIFYING, Balance()), (Unit.STAMPS, Balance()))
    assert (entry.recovered_points, entry.written_off_points) == (50, 0)


def test_a_reversal_of_one_line_names_its_unit_and_its_campaign(book: Book) -> None:
    lines = (*BOTH, Line(GROCER, 7, campaign="spring"), Line(FLORIST, 5))
    award = done(book.award_lines(lines))
    entry = done(book.reverse(award.seq, Line(GROCER, 7, campaign="spring"), Line(GROCER, 2, unit=Unit.STAMPS)))
    assert [(posting.lot.line, posting.points) for posting in entry.postings] == [(3, 7), (0, 2)]
    assert (entry.unit, entry.points) == (Unit.POINTS, 7)
    refusal = refused(book.reverse(award.seq, Line(GROCER, 1, campaign="summer")), ReversalExceedsAward)
    assert refusal.facts["reversible"] == 0
    refusal = refused(book.reverse(award.seq, Line(GROCER, 2, unit=Unit.STAMPS)), ReversalExceedsAward)
    assert refusal.facts["reversible"] == 1


def test_a_clawback_never_takes_another_unit(book: Book) -> None:
    award = done(book.award_lines((Line(GROCER, 3, unit=Unit.STAMPS),)))
    done(book.redeem(3, unit=Unit.STAMPS))
    done(book.award(50))
    entry = done(book.reverse(award.seq))
    assert flows(entry) == ["3 WRITTEN_OFF:grocer -> ISSUED:grocer"]
    assert (entry.unit, entry.written_off_points, entry.balance) == (Unit.STAMPS, 3, Balance())
    assert book.wallet().balance == Balance(50)


def test_every_unit_ends_in_an_entry_of_its_own(book: Book) -> None:
    until = book.now.date()
    done(book.award_lines((Line(GROCER, 3, until, Unit.STAMPS), Line(GROCER, 50, until), Line(FLORIST, 5, until))))
    book.now += timedelta(days=1)
    entries = [done(book.expire()) for _ in range(2)]
    assert sorted((entry.unit, entry.points) for entry in entries) == [(Unit.POINTS, 55), (Unit.STAMPS, 3)]
    refused(book.expire(), NothingDue)


def test_each_unit_has_its_own_range(book: Book) -> None:
    most = 2**63 - 1
    done(book.award(most))
    assert done(book.award_lines((Line(GROCER, most, unit=Unit.STAMPS),))).points == most
    refused(book.award(1), BalanceOutOfRange)
    refused(book.award_lines((Line(GROCER, 1, unit=Unit.STAMPS),)), BalanceOutOfRange)
    done(book.award_lines((Line(GROCER, 1, unit=Unit.TICKETS),)))
