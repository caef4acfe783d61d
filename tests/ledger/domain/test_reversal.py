"""An award undone: its own lot first, then other points, the rest written off."""

from __future__ import annotations

from datetime import date

from services.ledger.domain.entry import LotId
from services.ledger.domain.refusals.entries import EntryNotFound, NotAnAward, ReversalExceedsAward
from services.ledger.domain.wish import Line
from tests.ledger.domain.book import BERT, FLORIST, GROCER, Book, done, flows, refused, taken

JUNE, DECEMBER = date(2026, 6, 30), date(2026, 12, 31)


def test_a_reversal_gives_back_exactly_what_was_awarded(book: Book) -> None:
    award = done(book.award(120))
    entry = done(book.reverse(award.seq))
    assert flows(entry) == ["120 AVAILABLE -> ISSUED:grocer"]
    assert (entry.points, entry.recovered_points, entry.written_off_points) == (120, 120, 0)
    assert (entry.original, entry.balance) == (award.seq, (0, 0, 0, 0))


def test_its_own_lot_goes_first_although_another_ends_earlier(book: Book) -> None:
    done(book.award(100, until=JUNE))
    award = done(book.award(50, until=DECEMBER))
    assert taken(done(book.reverse(award.seq))) == [(2, 50)]


def test_what_was_spent_is_taken_from_other_lots_in_spending_order(book: Book) -> None:
    award = done(book.award(50, until=JUNE))
    done(book.redeem(40))
    done(book.award(15, until=DECEMBER, partner=FLORIST))
    done(book.award(100, until=JUNE, partner=FLORIST))
    entry = done(book.reverse(award.seq))
    assert taken(entry) == [(1, 10), (4, 40)]
    assert flows(entry) == ["10 AVAILABLE -> ISSUED:grocer", "40 AVAILABLE -> ISSUED:grocer"]
    assert [posting.issuer for posting in entry.postings] == [GROCER, FLORIST]


def test_what_nobody_can_recover_is_written_off_and_named(book: Book) -> None:
    award = done(book.award(50))
    done(book.redeem(30))
    entry = done(book.reverse(award.seq))
    assert flows(entry) == ["20 AVAILABLE -> ISSUED:grocer", "30 WRITTEN_OFF:grocer -> ISSUED:grocer"]
    assert (entry.points, entry.recovered_points, entry.written_off_points) == (50, 20, 30)
    assert entry.balance == (0, 0, 0, 0)


def test_held_points_are_not_touched(book: Book) -> None:
    award = done(book.award(50))
    held = done(book.hold(50))
    assert done(book.reverse(award.seq)).written_off_points == 50
    assert done(book.capture(held.seq)).points == 50


def test_points_past_their_day_are_not_taken_back(book: Book) -> None:
    award = done(book.award(50, until=JUNE))
    book.on(date(2026, 7, 1))
    assert done(book.reverse(award.seq)).written_off_points == 50


def test_another_wallets_points_are_not_touched(book: Book) -> None:
    award = done(book.award(50))
    done(book.award(50, wallet=BERT))
    done(book.redeem(50))
    assert done(book.reverse(award.seq)).written_off_points == 50
    assert book.wallet(BERT).balance.available == 50


def test_parts_together_never_exceed_the_award(book: Book) -> None:
    award = done(book.award(100))
    done(book.reverse(award.seq, Line(GROCER, 30)))
    refusal = refused(book.reverse(award.seq, Line(GROCER, 71)), ReversalExceedsAward)
    assert refusal.metadata == {"entry": "7-1", "issuer": GROCER, "reversible": "70", "requested": "71"}
    done(book.reverse(award.seq, Line(GROCER, 70)))
    assert refused(book.reverse(award.seq), ReversalExceedsAward).facts["reversible"] == 0


def test_written_off_points_count_as_reversed(book: Book) -> None:
    award = done(book.award(100))
    done(book.redeem(100))
    done(book.reverse(award.seq, Line(GROCER, 60)))
    done(book.award(500))
    assert refused(book.reverse(award.seq, Line(GROCER, 41)), ReversalExceedsAward).facts["reversible"] == 40


def test_no_lines_reverse_all_that_is_left(book: Book) -> None:
    award = done(book.award_lines((Line(GROCER, 30), Line(FLORIST, 12))))
    done(book.reverse(award.seq, Line(FLORIST, 12)))
    entry = done(book.reverse(award.seq))
    assert flows(entry) == ["30 AVAILABLE -> ISSUED:grocer"]


def test_each_issuer_is_credited_for_its_own_line(book: Book) -> None:
    award = done(book.award_lines((Line(GROCER, 30), Line(FLORIST, 12))))
    entry = done(book.reverse(award.seq, Line(FLORIST, 2), Line(GROCER, 3)))
    assert sorted(flows(entry)) == ["2 AVAILABLE -> ISSUED:florist", "3 AVAILABLE -> ISSUED:grocer"]
    assert {id_: lot.undone for id_, lot in book.wallet().lots.items()} == {LotId(1, 0): 3, LotId(1, 1): 2}


def test_no_issuer_recovers_from_anothers_line_what_that_line_needs_itself(book: Book) -> None:
    award = done(book.award_lines((Line(GROCER, 10), Line(FLORIST, 10))))
    done(book.redeem(10))
    assert flows(done(book.reverse(award.seq))) == [
        "10 AVAILABLE -> ISSUED:florist",
        "10 WRITTEN_OFF:grocer -> ISSUED:grocer",
    ]


def test_an_issuer_without_a_line_has_nothing_to_reverse(book: Book) -> None:
    award = done(book.award(100))
    assert refused(book.reverse(award.seq, Line(FLORIST, 1)), ReversalExceedsAward).facts["reversible"] == 0


def test_only_an_award_can_be_reversed(book: Book) -> None:
    done(book.award(100))
    redemption = done(book.redeem(10))
    assert refused(book.reverse(redemption.seq), NotAnAward).metadata == {"entry": "7-2"}


def test_another_partners_award_looks_like_none(book: Book) -> None:
    award = done(book.award(100))
    theirs = refused(book.reverse(award.seq, partner=FLORIST), EntryNotFound)
    nobodys = refused(book.reverse(99, partner=FLORIST), EntryNotFound)
    assert str(theirs).replace("7-1", "7-99") == str(nobodys)
