"""A reversal of points that are gone: what each policy makes of it, and who is repaid when points come again (E7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.ledger.domain.entry import Balance, Entry, EntryKind, LotId, Unit
from services.ledger.domain.lots import Lot
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals.entries import ReversalExceedsAward
from services.ledger.domain.refusals.spending import TooManyLots
from services.ledger.domain.terms import NegativeBalance, Policy
from services.ledger.domain.wish import Line
from shared.instants import micros
from tests.ledger.domain.book import BERT, FLORIST, GROCER, Book, done, flows, refused
from tests.support.vectors import example

A, B, C = "A", "B", "C"
OWES = Policy(negative_balance=NegativeBalance.ALLOW_NEGATIVE)


def overdrawn(book: Book, points: int = 100, *, unit: Unit = Unit.POINTS) -> Entry:
    """The wallet owes the grocer so many points: awarded, spent, and the goods came back."""
    book.policies[GROCER] = OWES
    award = done(book.award_lines((Line(GROCER, points, unit=unit),)))
    done(book.redeem(points, partner=FLORIST, unit=unit))
    return done(book.reverse(award.seq))


@pytest.mark.parametrize("name", ["E7a", "E7b", "E7c"])
def test_e7_a_clawback_larger_than_the_balance(name: str) -> None:
    e7 = example(name)
    policy = NegativeBalance[e7["given"]["negative_balance_policy"]]
    book = Book()
    book.policies[A] = Policy(negative_balance=policy)
    entries: list[Entry] = []
    for step, then in zip(e7["when"], e7["then"]["steps"], strict=True):
        match step["do"]:
            case "award":
                entries.append(done(book.award(step["points"], partner=step["partner"])))
            case "redeem":
                entries.append(done(book.redeem(step["points"], partner=step["partner"])))
            case "reverse":
                entries.append(done(book.reverse(entries[0].seq, Line(A, step["points"]), partner=A)))
        last = entries[-1]
        found = {
            "balance": last.balance.total,
            "available": last.balance.available,
            "debt": last.balance.debt,
            "recovered": last.recovered_points,
            "repaid": last.repaid_points,
            "withheld_points": last.withheld_points,
            "written_off_points": last.written_off_points,
        }
        assert {key: found[key] for key in then if key in found} == {key: then[key] for key in then if key in found}
    assert book.wallet().balance.total == e7["then"]["totals"]["outstanding_points"]


@pytest.mark.parametrize(
    ("policy", "posting"),
    [
        (NegativeBalance.ALLOW_NEGATIVE, "70 OWED:grocer -> ISSUED:grocer"),
        (NegativeBalance.WITHHOLD_FROM_REFUND, "70 WITHHELD:grocer -> ISSUED:grocer"),
        (NegativeBalance.WRITE_OFF, "70 WRITTEN_OFF:grocer -> ISSUED:grocer"),
    ],
)
def test_a_policy_is_for_what_neither_the_lot_nor_another_has(
    book: Book, policy: NegativeBalance, posting: str
) -> None:
    book.policies[GROCER] = Policy(negative_balance=policy)
    award = done(book.award(100))
    done(book.redeem(80))
    done(book.award(10, partner=FLORIST))
    entry = done(book.reverse(award.seq))
    assert flows(entry) == ["20 AVAILABLE -> ISSUED:grocer", "10 AVAILABLE -> ISSUED:grocer", posting]
    assert (entry.points, entry.recovered_points) == (100, 30)
    kinds = (entry.owed_points, entry.withheld_points, entry.written_off_points)
    assert kinds == tuple(70 if policy is kind else 0 for kind in NegativeBalance)


def test_each_issuers_own_policy_counts(book: Book) -> None:
    book.policies[GROCER] = OWES
    book.policies[FLORIST] = Policy(negative_balance=NegativeBalance.WITHHOLD_FROM_REFUND)
    award = done(book.award_lines((Line(GROCER, 10), Line(FLORIST, 20), Line("baker", 30))))
    done(book.redeem(60))
    entry = done(book.reverse(award.seq))
    assert flows(entry) == [
        "10 OWED:grocer -> ISSUED:grocer",
        "20 WITHHELD:florist -> ISSUED:florist",
        "30 WRITTEN_OFF:baker -> ISSUED:baker",
    ]


def test_what_is_held_is_not_taken_back(book: Book) -> None:
    book.policies[GROCER] = OWES
    award = done(book.award(100))
    held = done(book.hold(60))
    assert done(book.reverse(award.seq)).balance == Balance(held=60, debt=60)
    released = done(book.release(held.seq))
    assert flows(released) == ["60 HELD -> AVAILABLE", "60 AVAILABLE -> OWED:grocer"]
    assert released.balance == Balance()


def test_an_award_repays_first_and_the_member_has_the_rest(book: Book) -> None:
    reversal = overdrawn(book)
    assert reversal.balance == Balance(debt=100)
    entry = done(book.award(120, partner=FLORIST))
    assert flows(entry) == ["120 ISSUED:florist -> AVAILABLE", "100 AVAILABLE -> OWED:grocer"]
    repaying = entry.postings[1]
    assert (repaying.lot, repaying.for_lot, repaying.issuer) == (LotId(entry.seq, 0), LotId(1, 0), FLORIST)
    assert (entry.balance, entry.points, entry.repaid_points) == (Balance(20), 120, 100)


def test_an_award_that_is_not_enough_repays_what_it_can(book: Book) -> None:
    overdrawn(book)
    assert done(book.award(30, partner=FLORIST)).balance == Balance(debt=70)
    assert done(book.award(70, partner=FLORIST)).balance == Balance()


def test_pending_points_repay_once_they_become_available(book: Book) -> None:
    overdrawn(book)
    later = Line(FLORIST, 150, available_from=micros(book.now + timedelta(days=1)))
    assert done(book.award_lines((later,))).balance == Balance(pending=150, debt=100)
    book.pass_by(days=1)
    assert done(book.clear()).balance == Balance(available=50)


def test_a_refund_repays(book: Book) -> None:
    overdrawn(book)
    spent = next(entry for entry in book.entries if entry.kind is EntryKind.REDEMPTION)
    entry = done(book.refund(spent.seq, 40, partner=FLORIST))
    assert flows(entry) == ["40 REDEEMED:florist -> AVAILABLE", "40 AVAILABLE -> OWED:grocer"]
    assert entry.postings[1].for_lot is None, "the lot repays its own debt"
    assert entry.balance == Balance(debt=60)


def test_a_transfer_and_an_adjustment_repay(book: Book) -> None:
    overdrawn(book)
    done(book.award(40, partner=FLORIST, wallet=BERT))
    out = done(book.transfer(40, wallet=BERT, to=book.wallet().id))
    assert done(book.deliver(out)).balance == Balance(debt=60)
    assert done(book.adjust(60, issuer=FLORIST)).balance == Balance()


def test_the_debt_of_the_oldest_lot_is_repaid_first(book: Book) -> None:
    book.policies[GROCER] = book.policies[FLORIST] = OWES
    first = done(book.award(10))
    second = done(book.award(10, partner=FLORIST))
    done(book.redeem(20))
    done(book.reverse(second.seq, partner=FLORIST))
    done(book.reverse(first.seq))
    entry = done(book.award(15, partner="baker"))
    assert flows(entry)[1:] == ["10 AVAILABLE -> OWED:grocer", "5 AVAILABLE -> OWED:florist"]


def test_several_lots_repay_one_debt_in_the_order_in_which_they_arrive(book: Book) -> None:
    overdrawn(book)
    entry = done(book.award_lines((Line(FLORIST, 60), Line(GROCER, 60)), partner=FLORIST))
    assert flows(entry)[2:] == ["60 AVAILABLE -> OWED:grocer", "40 AVAILABLE -> OWED:grocer"]
    assert [posting.lot.line for posting in entry.postings[2:]] == [0, 1]


def test_points_past_their_day_repay_nothing(book: Book) -> None:
    held_until = book.now.date()
    book.policies[GROCER] = OWES
    award = done(book.award(100, until=held_until))
    held = done(book.hold(60, ttl=10 * 86_400_000_000))
    done(book.redeem(40))
    done(book.reverse(award.seq))
    book.pass_by(days=1)
    entry = done(book.release(held.seq))
    assert (flows(entry), entry.balance) == (["60 HELD -> EXPIRED:grocer"], Balance(debt=100))


def test_a_debt_in_one_unit_is_repaid_in_that_unit_alone(book: Book) -> None:
    overdrawn(book, 5, unit=Unit.STAMPS)
    entry = done(book.award_lines((Line(FLORIST, 50), Line(FLORIST, 3, unit=Unit.STAMPS)), partner=FLORIST))
    assert entry.balance == Balance(50)
    assert entry.others == ((Unit.STAMPS, Balance(debt=2)),)


def test_a_debt_can_be_reversed_into_only_as_far_as_the_award_went(book: Book) -> None:
    book.policies[GROCER] = OWES
    award = done(book.award(100))
    done(book.redeem(100))
    for part, debt in ((30, 30), (70, 100)):
        assert done(book.reverse(award.seq, Line(GROCER, part))).balance == Balance(debt=debt)
    lot = book.wallet().lots[LotId(award.seq, 0)]
    assert (lot.undone, lot.owed) == (100, 100)


def test_a_posting_names_the_line_that_it_undoes_where_that_is_not_its_own_lot(book: Book) -> None:
    award = done(book.award(10))
    done(book.redeem(6))
    done(book.award(4, partner=FLORIST))
    entry = done(book.reverse(award.seq))
    line = LotId(award.seq, 0)
    assert [(posting.lot, posting.for_lot) for posting in entry.postings] == [
        (line, None),
        (LotId(3, 0), line),
        (line, None),
    ]


def test_other_points_are_taken_back_in_the_order_of_the_programme(book: Book) -> None:
    today = book.now.date()
    book.programme = replace(book.programme, oldest_first=True)
    award = done(book.award(10))
    done(book.redeem(10))
    done(book.award(5, until=today + timedelta(days=9)))
    done(book.award(5, until=today + timedelta(days=1)))
    assert [posting.lot.seq for posting in done(book.reverse(award.seq, Line(GROCER, 7))).postings] == [3, 4]


def test_a_reversal_of_nothing_says_that_nothing_is_left(book: Book) -> None:
    award = done(book.award(10))
    done(book.reverse(award.seq))
    facts = refused(book.reverse(award.seq), ReversalExceedsAward).facts
    assert facts == {"entry": award.place, "issuer": GROCER, "reversible": 0, "requested": 0}


def test_what_is_left_of_a_lot_that_repaid_keeps_its_last_day(book: Book) -> None:
    overdrawn(book)
    until = book.now.date() + timedelta(days=9)
    entry = done(book.award(120, partner=FLORIST, until=until))
    assert book.wallet().lots[LotId(entry.seq, 0)].expires_on == until


def test_only_a_reversal_misses_points(book: Book) -> None:
    award = done(book.award(10))
    assert (award.written_off_points, award.withheld_points, award.owed_points, award.recovered_points) == (0, 0, 0, 0)


def test_a_reversal_takes_a_bounded_number_of_lots_and_says_how_far_it_reaches(book: Book) -> None:
    award = done(book.award(MOST_LOTS + 5))
    done(book.redeem(MOST_LOTS + 5))
    for number in range(MOST_LOTS + 5):
        id_ = LotId(1000 + number, 0)
        book.wallet().lots[id_] = Lot(id_, FLORIST, book.moment.at, None, awarded=1, available=1)
    book.wallet().balances[Unit.POINTS] = Balance(available=MOST_LOTS + 5)
    book.check_conservation = lambda: None  # type: ignore[method-assign]  # these lots come from no entry
    facts = refused(book.reverse(award.seq), TooManyLots).facts
    assert facts == {"most_lots": MOST_LOTS, "possible": MOST_LOTS}
    assert len(done(book.reverse(award.seq, Line(GROCER, MOST_LOTS))).postings) == MOST_LOTS
