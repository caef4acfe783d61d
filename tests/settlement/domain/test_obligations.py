"""Who owes whom for each kind of entry, under which version, or why it has to wait."""

from __future__ import annotations

import pytest

from services.settlement.domain.contract import PriceBook
from services.settlement.domain.contract import VersionId as Version
from services.settlement.domain.keys import Keys
from services.settlement.domain.lines import key_of
from services.settlement.domain.obligations import (
    Leg,
    Obligation,
    Original,
    Owed,
    Reason,
    RollupKey,
    Suspended,
    originals,
)
from services.settlement.domain.pricing import Pricing
from services.settlement.formats.entries import read
from shared.money import half_even
from tests.settlement.paper import Journal, book, day, terms
from tests.support.vectors import example

PRICES = book(acorn=terms(), birch=terms("0.02", "0.01"))


def outcomes(paper: Journal, prices: PriceBook = PRICES) -> list[tuple[Obligation, ...] | Suspended]:
    pricing = Pricing(Keys(prices))
    return [pricing.obligations(read(entry)) for entry in paper.buckets[0]]


def owes(partner: str, points: int, original: int | None = None, version: int = 1) -> Obligation:
    return Obligation(RollupKey(Leg.ISSUANCE, partner, "operator", Version(partner, version)), points, original)


def is_owed(partner: str, points: int, original: int | None = None, version: int = 1) -> Obligation:
    return Obligation(RollupKey(Leg.REIMBURSEMENT, "operator", partner, Version(partner, version)), points, original)


def reason(outcome: tuple[Obligation, ...] | Suspended) -> Reason:
    assert isinstance(outcome, Suspended), outcome
    return outcome.reason


def test_an_award_makes_its_issuer_owe() -> None:
    paper = Journal()
    paper.award(100)
    paper.write("AWARD", [("ISSUED:acorn", "PENDING", 7)])
    assert outcomes(paper) == [(owes("acorn", 100),), (owes("acorn", 7),)]


def test_an_award_of_several_issuers_makes_each_owe_its_part() -> None:
    paper = Journal()
    lines = [("ISSUED:acorn", "AVAILABLE", 19), ("ISSUED:birch", "AVAILABLE", 5), ("ISSUED:acorn", "PENDING", 1)]
    award = paper.write("AWARD", lines)
    paper.write("REVERSAL", [("AVAILABLE", "ISSUED:birch", 5), ("AVAILABLE", "ISSUED:acorn", 3)], original=award.seq)
    assert outcomes(paper) == [(owes("acorn", 20), owes("birch", 5)), (owes("birch", -5, 1), owes("acorn", -3, 1))]


def test_a_redemption_and_a_capture_make_the_operator_owe_the_acceptor() -> None:
    paper = Journal()
    paper.redeem(30, "birch")
    paper.write("HOLD", [("AVAILABLE", "HELD", 20)])
    spent = [("HELD", "REDEEMED:birch", 12), ("HELD", "REDEEMED:birch", 3), ("HELD", "AVAILABLE", 5)]
    paper.write("CAPTURE", spent, original=2)
    assert outcomes(paper) == [(is_owed("birch", 30),), (), (is_owed("birch", 15),)]


@pytest.mark.parametrize(
    ("kind", "posting"),
    [
        ("HOLD", ("AVAILABLE", "HELD", 20)),
        ("RELEASE", ("HELD", "AVAILABLE", 20)),
        ("RELEASE", ("HELD", "EXPIRED:acorn", 20)),
        ("EXPIRY", ("AVAILABLE", "EXPIRED:acorn", 20)),
    ],
)
def test_holds_releases_and_expiries_move_no_money(kind: str, posting: tuple[str, str, int]) -> None:
    paper = Journal()
    paper.write(kind, [posting])
    assert outcomes(paper) == [()]


def test_what_the_operator_would_owe_itself_is_no_obligation() -> None:
    paper = Journal()
    award = paper.award(100, "operator")
    paper.redeem(10, "operator")
    paper.reverse(award, 50, "operator")
    paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 19), ("ISSUED:operator", "AVAILABLE", 5)])
    assert outcomes(paper) == [(), (), (), (owes("acorn", 19),)]


def test_a_reversal_credits_what_was_really_recovered() -> None:
    paper = Journal()
    award = paper.award(500)
    paper.reverse(award, 20, written_off=480)
    paper.reverse(paper.award(7), 0, written_off=7)
    assert outcomes(paper) == [(owes("acorn", 500),), (owes("acorn", -20, 1),), (owes("acorn", 7),), ()]


def test_undone_entries_are_priced_by_the_version_of_their_original() -> None:
    e8 = example("E8")
    first, second = (rate["rate"] for rate in e8["given"]["billing_rates"])
    prices = book(acorn=[terms(first, since=0), terms(second, "0.008", since=day(31))])  # from the first of April
    paper, points = Journal(), e8["when"][0]["points"]
    award = paper.award(points, at=day(29))
    redemption = paper.redeem(100, at=day(29))
    paper.reverse(award, e8["when"][1]["points"], at=day(35))
    paper.refund(redemption, 100, at=day(35))
    paper.award(points, at=day(31))
    found = outcomes(paper, prices)
    assert found[2] == (owes("acorn", -points, 1, version=1),)
    assert found[3] == (is_owed("acorn", -100, 2, version=1),)
    assert found[4] == (owes("acorn", points, version=2),)
    rate = key_of(Leg.ISSUANCE, Version("acorn", 1), prices).rate
    assert half_even(rate.times(points), 2) == e8["then"]["billed_minor"] == e8["then"]["credited_minor"]
    wrong = key_of(Leg.ISSUANCE, Version("acorn", 2), prices).rate
    assert half_even(wrong.times(points), 2) == e8["then"]["wrong"]["credited_at_new_rate_minor"]


def test_without_a_contract_an_entry_waits_and_so_does_what_undoes_it() -> None:
    paper = Journal()
    early = paper.award(100, "stranger", at=day(10))
    paper.reverse(early, 10, "stranger", at=day(12))
    mixed = [("ISSUED:birch", "AVAILABLE", 1), ("ISSUED:stranger", "AVAILABLE", 1)]
    paper.write("AWARD", mixed, at=day(1))
    found = outcomes(paper, book(birch=terms()))
    assert [reason(one) for one in found] == [Reason.NO_CONTRACT, Reason.UNKNOWN_ORIGINAL, Reason.NO_CONTRACT]


def test_what_happened_before_the_first_version_is_priced_by_it() -> None:
    paper = Journal()
    early = paper.award(100, at=day(10) - 1)
    paper.reverse(early, 10, at=day(12))
    found = outcomes(paper, book(acorn=terms(since=day(10))))
    assert found == [(owes("acorn", 100, version=1),), (owes("acorn", -10, 1, version=1),)]


def test_an_entry_is_priced_whole_or_not_at_all() -> None:
    paper = Journal()
    award = paper.award(100)
    paper.write("REVERSAL", [("AVAILABLE", "ISSUED:acorn", 60), ("AVAILABLE", "ISSUED:birch", 1)], original=award.seq)
    paper.reverse(award, 100)
    found = outcomes(paper)
    assert reason(found[1]) is Reason.UNKNOWN_ORIGINAL
    assert found[2] == (owes("acorn", -100, 1),), "the one before took nothing"


def test_no_more_is_undone_than_was_done() -> None:
    paper = Journal()
    award, redemption = paper.award(100), paper.redeem(50)
    paper.reverse(award, 60)
    paper.reverse(award, 41)
    paper.reverse(award, 40)
    paper.reverse(award, 1)
    paper.refund(redemption, 51)
    paper.refund(redemption, 50)
    found = outcomes(paper)
    assert [isinstance(one, Suspended) for one in found] == [False, False, False, True, False, True, True, False]
    assert {reason(found[n]) for n in (3, 5, 6)} == {Reason.UNDONE_TOO_OFTEN}


@pytest.mark.parametrize("original", [None, 1, 2, 3, 99])
def test_what_undoes_nothing_that_is_known_waits(original: int | None) -> None:
    paper = Journal()
    paper.write("HOLD", [("AVAILABLE", "HELD", 1)])
    paper.redeem(5)
    paper.write("REVERSAL", [("AVAILABLE", "ISSUED:acorn", 5)], original=original)
    assert reason(outcomes(paper)[2]) is Reason.UNKNOWN_ORIGINAL


def test_a_kind_that_nobody_said_the_price_of_waits() -> None:
    paper = Journal()
    paper.write("GIFT", [("ISSUED:acorn", "AVAILABLE", 5)])
    paper.write("X" * 1000, [])
    assert [reason(one) for one in outcomes(paper)] == [Reason.UNKNOWN_KIND] * 2


def test_what_was_priced_on_an_earlier_page_is_recalled() -> None:
    paper = Journal()
    award = paper.award(100)
    paper.reverse(award, 30)
    paper.reverse(award, 31)
    late = [read(entry) for entry in paper.buckets[0][1:]]
    assert originals(late) == {1}
    pricing = Pricing(Keys(PRICES))
    pricing.recall(Original(1, Leg.ISSUANCE, "acorn"), Owed(owes("acorn", 1).key, 60))
    assert pricing.obligations(late[0]) == (owes("acorn", -30, 1),)
    assert reason(pricing.obligations(late[1])) is Reason.UNDONE_TOO_OFTEN


def test_only_originals_from_elsewhere_are_looked_up() -> None:
    paper = Journal()
    award = paper.award(100)
    hold = paper.write("HOLD", [("AVAILABLE", "HELD", 1)])
    paper.write("CAPTURE", [("HELD", "REDEEMED:acorn", 1)], original=hold.seq)
    paper.reverse(award, 30)
    entries = [read(entry) for entry in paper.buckets[0]]
    assert originals(entries) == set()
    assert originals(entries[1:]) == {award.seq}


def test_a_debt_is_credited_to_its_issuer_when_another_issuers_award_repays_it() -> None:
    """E7, ALLOW_NEGATIVE: acorn gets 20 back at once, and 480 when birch awards 600."""
    paper = Journal()
    award = paper.award(500)
    back = [("AVAILABLE", "ISSUED:acorn", 20), ("OWED:acorn", "ISSUED:acorn", 480)]
    paper.write("REVERSAL", back, original=award.seq)
    repaid = ("AVAILABLE", "OWED:acorn", 480, "3.0", f"{award.seq}.0")
    paper.write("AWARD", [("ISSUED:birch", "AVAILABLE", 600, "3.0"), repaid])
    assert outcomes(paper) == [
        (owes("acorn", 500),),
        (owes("acorn", -20, award.seq),),
        (owes("birch", 600), owes("acorn", -480, award.seq)),
    ]


def test_an_award_that_repays_its_own_issuers_debts_owes_and_is_credited_for_each() -> None:
    paper = Journal()
    first, second = paper.award(5), paper.award(7)
    for award, points in ((first, 5), (second, 7)):
        paper.write("REVERSAL", [("OWED:acorn", "ISSUED:acorn", points)], original=award.seq)
    parts = [("AVAILABLE", "OWED:acorn", part, "5.0", f"{award.seq}.0") for part, award in ((5, first), (2, second))]
    paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 7, "5.0"), *parts])
    assert outcomes(paper)[-1] == (owes("acorn", 7), owes("acorn", -5, first.seq), owes("acorn", -2, second.seq))


@pytest.mark.parametrize(
    "kind", ["PENDING_RELEASE", "TRANSFER_OUT", "TRANSFER_IN", "MERGE_OUT", "MERGE_IN", "EXTENSION"]
)
def test_what_only_moves_points_between_wallets_and_accounts_moves_no_money(kind: str) -> None:
    paper = Journal()
    paper.write(kind, [("AVAILABLE", "IN_TRANSIT", 5), ("PENDING", "AVAILABLE", 5)])
    assert outcomes(paper) == [()]


def test_an_adjustment_costs_its_issuer_what_an_award_would_and_taking_gives_it_back() -> None:
    paper = Journal()
    paper.write("ADJUSTMENT", [("ADJUSTED:acorn", "AVAILABLE", 25)])
    paper.write("ADJUSTMENT", [("AVAILABLE", "ADJUSTED:acorn", 10)])
    assert outcomes(paper) == [(owes("acorn", 25),), (owes("acorn", -10),)]


def test_a_debt_that_came_with_a_merge_is_credited_at_the_price_of_its_awards_day() -> None:
    """The award lies in another bucket; the repayment says when it was earned."""
    prices = book(acorn=[terms("0.012"), terms("0.0125", since=day(10))])
    paper = Journal()
    repaid = ("AVAILABLE", "OWED:acorn", 480, "1.0", "9.0", day(3))
    award = paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 600, "1.0"), repaid], at=day(20))
    paper.reverse(award, 600, at=day(21))
    assert outcomes(paper, prices) == [
        (owes("acorn", 600, version=2), owes("acorn", -480, version=1)),
        (owes("acorn", -600, award.seq, version=2),),
    ]
