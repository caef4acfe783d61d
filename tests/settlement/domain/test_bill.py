"""The bill of a window: timing, routes, fees, packs, tax; and the same money however windows are cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.domain.contract import PriceBook
from services.settlement.domain.keys import Keys
from services.settlement.domain.legs import Leg
from services.settlement.domain.lines import Line
from services.settlement.domain.nets import Net
from services.settlement.domain.obligations import Reason, Suspended
from services.settlement.domain.pricing import Pricing
from services.settlement.domain.terms import (
    CampaignRate,
    Fee,
    FeeKind,
    Payer,
    Rounding,
    Route,
    Tax,
    Terms,
    TermsContradict,
    Timing,
    Treatment,
    terms_of,
)
from services.settlement.domain.window import Edge
from services.settlement.formats.entries import read
from shared.money import Rate
from tests.settlement.paper import Journal, Wrote, book, day, terms
from tests.settlement.reckoning import Books, settled

NETWORKS = 20_000
PARTNERS = ("acorn", "birch", "cedar")


def lines(books: Books, leg: Leg) -> list[Line]:
    return [line for line, _ in books.lines if line.key.leg is leg]


def booked(books: Books, leg: Leg) -> dict[str, int]:
    """Minor units of a leg, by the partner whose contract it follows."""
    sums: Counter[str] = Counter()
    for line in lines(books, leg):
        sums[line.key.partner] += line.booked_minor
    return dict(sums)


def net(books: Books, partner: str) -> Net:
    return next(one for one in books.nets if one.partner == partner)


def test_at_redemption_an_award_costs_nothing_and_its_reversal_gives_nothing_back() -> None:
    later = terms("0", "0.009", timing=Timing.AT_REDEMPTION, rate_at_redemption="0.01")
    paper = Journal()
    award = paper.award(100)
    paper.reverse(award, 40)
    paper.redeem(50, "birch", issuer="acorn")
    (books,) = settled(paper, book(acorn=later, birch=terms()), [paper.checkpoint(day(9))])
    assert booked(books, Leg.ISSUANCE) == {}
    assert booked(books, Leg.REDEMPTION) == {"acorn": 50}
    assert booked(books, Leg.REIMBURSEMENT) == {"birch": 45}


def test_direct_the_issuer_owes_the_acceptor_and_the_operator_nothing() -> None:
    direct = terms("0", "0", timing=Timing.AT_REDEMPTION, route=Route.DIRECT, rate_at_redemption="0.01")
    paper = Journal()
    spent = paper.redeem(500, "birch", issuer="acorn")
    paper.refund(spent, 100, "birch", issuer="acorn")
    (books,) = settled(paper, book(acorn=direct), [paper.checkpoint(day(9))])
    ((line, _),) = books.lines
    assert (line.key.debtor, line.key.creditor, line.booked_minor) == ("acorn", "birch", 400)
    assert [(one.partner, one.net_minor) for one in books.nets] == [("acorn", -400), ("birch", 400), ("operator", 0)]
    assert sorted(books.statements) == ["acorn", "birch"], "who has no contract sees its line, too"


def test_an_acceptor_without_a_contract_makes_spending_wait() -> None:
    paper = Journal()
    paper.redeem(5, "stranger", issuer="acorn")
    outcome = Pricing(Keys(book(acorn=terms()))).obligations(read(paper.buckets[0][0]))
    assert isinstance(outcome, Suspended)
    assert outcome.reason is Reason.NO_CONTRACT


def test_a_campaign_has_the_rate_that_the_contract_gives_it_and_so_has_its_reversal() -> None:
    agreed = terms("0.012", campaign_rates=(CampaignRate("spring", Rate.of("0.005")),))
    paper = Journal()
    postings = [("ISSUED:acorn", "AVAILABLE", 1000, "1.0")]
    award = paper.write("AWARD", postings, campaign="spring")
    paper.write("AWARD", [("ISSUED:acorn", "AVAILABLE", 100, "2.0")], campaign="autumn")
    paper.write("REVERSAL", [("AVAILABLE", "ISSUED:acorn", 400, "1.0")], original=award.seq)
    (books,) = settled(paper, book(acorn=agreed), [paper.checkpoint(day(9))])
    assert {str(line.key.rate): line.points for line in lines(books, Leg.ISSUANCE)} == {"0.005": 600, "0.012": 100}


def test_what_expires_comes_back_to_its_issuer_in_part() -> None:
    shared = terms("0.012", breakage_share="0.25")
    paper = Journal()
    paper.award(1000)
    paper.write("EXPIRY", [("AVAILABLE", "EXPIRED:acorn", 400)])
    paper.write("EXPIRY", [("AVAILABLE", "EXPIRED:stranger", 1)])
    (books,) = settled(paper, book(acorn=shared), [paper.checkpoint(day(9))])
    (line,) = lines(books, Leg.BREAKAGE)
    assert (line.key.debtor, line.key.creditor, line.booked_minor) == ("operator", "acorn", 120)


def test_fees_are_owed_to_the_operator_by_whom_the_contract_names() -> None:
    fees = (
        Fee(FeeKind.PER_ITEM, Rate.of("0.05")),
        Fee(FeeKind.PER_POINT, Rate.of("0.001")),
        Fee(FeeKind.PERCENT, Rate.of("0.015")),
        Fee(FeeKind.PERCENT, Rate.of("0.1"), Leg.ISSUANCE),
    )
    paper = Journal()
    spent = paper.redeem(10_000, "birch")
    paper.refund(spent, 1_000, "birch")
    paper.award(1_000, "birch")
    (books,) = settled(paper, book(birch=terms("0.012", "0.009", fees=fees)), [paper.checkpoint(day(9))])
    found = {line.key.subject.split()[0] + str(line.key.rate): line.booked_minor for line in lines(books, Leg.FEE)}
    assert found == {"PER_ITEM0.05": 10, "PER_POINT0.001": 900, "PERCENT0.015": 122, "PERCENT0.1": 120}
    assert all((line.key.debtor, line.key.creditor) == ("birch", "operator") for line in lines(books, Leg.FEE))
    assert net(books, "birch") == Net("birch", "EUR", 1_200, 8_100, 8_100 - 1_200 - 1_152, 1_152, 0)


def test_on_a_direct_line_the_other_side_may_owe_the_fee() -> None:
    fees = (Fee(FeeKind.PERCENT, Rate.of("0.02"), Leg.REDEMPTION, Payer.COUNTERPARTY),)
    direct = terms("0", "0", timing=Timing.AT_REDEMPTION, route=Route.DIRECT, rate_at_redemption="0.01", fees=fees)
    paper = Journal()
    paper.redeem(10_000, "birch", issuer="acorn")
    (books,) = settled(paper, book(acorn=direct), [paper.checkpoint(day(9))])
    ((fee),) = lines(books, Leg.FEE)
    assert (fee.key.debtor, fee.booked_minor) == ("birch", 200)
    assert [one.net_minor for one in books.nets] == [-10_000, 9_800, 200]


def test_a_months_fee_is_booked_where_the_month_ends_and_a_minimum_is_filled_up() -> None:
    fees = (
        Fee(FeeKind.PER_POINT, Rate.of("0.01")),
        Fee(FeeKind.MONTHLY, Rate.of("5")),
        Fee(FeeKind.MINIMUM, Rate.of("20")),
    )
    paper, edges = Journal(), list[Edge]()
    for number in (3, 20, 40, 70):  # of March, of March, of April, of May
        paper.redeem(300 if number == 3 else 2_000, at=day(number))
        edges.append(paper.checkpoint(day(number) + 1))
    cut = settled(paper, book(acorn=terms("0", "0.009", since=day(0), fees=fees)), edges)
    whole = settled(paper, book(acorn=terms("0", "0.009", since=day(0), fees=fees)), edges[-1:])
    subjects = [[line.key.subject for line in lines(books, Leg.FEE) if "20" in line.key.subject[-7:]] for books in cut]
    assert subjects == [[], [], ["MONTHLY 2026-03"], ["MONTHLY 2026-04"]]
    assert sum(net(books, "acorn").fees_minor for books in cut) == net(whole[0], "acorn").fees_minor


def test_a_minimum_is_what_the_other_fees_of_a_month_come_to_at_least() -> None:
    fees = (Fee(FeeKind.PER_POINT, Rate.of("0.01")), Fee(FeeKind.MINIMUM, Rate.of("20")))
    paper = Journal()
    paper.redeem(300, at=day(3))
    first = paper.checkpoint(day(31.5))
    paper.redeem(500, at=day(30))  # late: the month had it, though nobody knew
    edges = [first, paper.checkpoint(day(33))]
    one, other = settled(paper, book(acorn=terms("0", "0.009", since=day(0), fees=fees)), edges)
    (minimum,) = [line for line in lines(one, Leg.FEE) if line.key.subject.startswith("MINIMUM")]
    assert minimum.booked_minor == 2_000 - 300
    assert net(one, "acorn").fees_minor == 2_000
    assert net(other, "acorn").fees_minor == 0, "500 more of points are 500 less to fill up"


def test_a_pack_is_billed_when_it_begins_and_covers_until_it_is_used_up() -> None:
    agreed = terms("0.012", since=day(0), prepaid_points=1_000, prepaid_price="0.010")
    paper, edges, awards = Journal(), list[Edge](), list[Wrote]()
    for points in (600, 600, 100):
        awards.append(paper.award(points, at=day(len(edges) + 0.5)))
        edges.append(paper.checkpoint(day(len(edges) + 1)))
    paper.reverse(awards[2], 100, at=day(4))
    paper.reverse(awards[1], 400, at=day(4))
    edges.append(paper.checkpoint(day(5)))
    books = settled(paper, book(acorn=agreed), edges)
    assert [booked(one, Leg.PREPAID) for one in books] == [{"acorn": 1_000}, {}, {}, {}]
    assert [booked(one, Leg.COVER) for one in books] == [{"acorn": 720}, {"acorn": 480}, {}, {"acorn": -240}]
    assert [net(one, "acorn").net_minor for one in books] == [-1_000, -240, -120, 360]


@pytest.mark.parametrize(
    "more",
    [
        {"route": Route.DIRECT},
        {"rate_at_redemption": "0.01"},
        {"timing": Timing.AT_REDEMPTION},
        {"breakage_share": "1.1"},
        {"breakage_share": "0.0000001"},
        {"fees": (Fee(FeeKind.PERCENT, Rate.of("1.01")),)},
        {"fees": (Fee(FeeKind.MONTHLY, Rate.of("1.001")),)},
        {"fees": (Fee(FeeKind.MINIMUM, Rate.of("1")),) * 2},
        {"campaign_rates": (CampaignRate("a", Rate.of("1")),) * 2},
        {"taxes": (Tax(Leg.FEE, Treatment.OUT_OF_SCOPE, "DE", Rate.of("0.2")),)},
        {"late_limit_days": -1},
    ],
    ids=str,
)
def test_terms_that_contradict_themselves_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(TermsContradict):
        terms(**more)


def test_terms_come_back_from_their_canonical_form_and_what_is_not_used_is_not_in_it() -> None:
    plain = terms()
    assert sorted(plain.form) == [
        "currency", "effective_from", "rate_at_issuance", "reimbursement_rate", "rounding", "timing",
    ]  # fmt: skip
    full = terms(
        timing=Timing.HYBRID,
        rate_at_redemption="0.01",
        campaign_rates=(CampaignRate("spring", Rate.of("0.005")),),
        fees=(Fee(FeeKind.PERCENT, Rate.of("0.015"), Leg.REDEMPTION, Payer.COUNTERPARTY),),
        taxes=(Tax(Leg.ISSUANCE, Treatment.TAXABLE_SERVICE, "DE", Rate.of("0.19")),),
        settlement_currency="USD",
        late_limit_days=9,
        minimum_payment_minor=500,
    )
    for one in (plain, full):
        assert terms_of(one.form) == one


FEES = (
    Fee(FeeKind.PERCENT, Rate.of("0.0173")),
    Fee(FeeKind.PER_POINT, Rate.of("0.00031")),
    Fee(FeeKind.MONTHLY, Rate.of("3.21")),
    Fee(FeeKind.MINIMUM, Rate.of("9.87")),
)
CONTRACTS: list[Terms] = [
    terms("0.0123", "0.0077", since=day(0)),
    terms("0.0041", "0.0091", since=day(0), timing=Timing.HYBRID, rate_at_redemption="0.0083", fees=FEES),
    terms("0", "0.005", since=day(0), timing=Timing.AT_REDEMPTION, route=Route.DIRECT, rate_at_redemption="0.0111"),
    terms("0.0123", "0.0077", since=day(0), rounding=Rounding.CUMULATIVE_HALF_UP, breakage_share="0.5"),
    terms("0.0099", "0.0033", since=day(0), prepaid_points=777, prepaid_price="0.005", currency="JPY"),
]


def network(seed: int) -> tuple[PriceBook, Journal, list[int]]:
    """Three partners with contracts by chance, what they did to one another, and where the journal may be cut."""
    chance = Random(seed)
    prices = book(**{partner: chance.choice(CONTRACTS) for partner in PARTNERS})
    paper = Journal(1)
    awards, spent, at = list[tuple[Wrote, str, int]](), list[tuple[Wrote, str, str, int]](), day(0)
    for _ in range(chance.randint(1, 12)):
        at += chance.randint(1, 12) * 86_400_000_000
        one, other, points = chance.choice(PARTNERS), chance.choice(PARTNERS), chance.randint(1, 2_000)
        match chance.choice(("award", "award", "spend", "spend", "reverse", "refund", "expire")):
            case "award":
                awards.append((paper.award(points, one, at=at), one, points))
            case "spend":
                spent.append((paper.redeem(points, other, at=at, issuer=one), other, one, points))
            case "reverse" if awards:
                award, issuer, left = awards.pop(chance.randrange(len(awards)))
                paper.reverse(award, chance.randint(1, left), issuer, at=at)
            case "refund" if spent:
                redemption, acceptor, issuer, left = spent.pop(chance.randrange(len(spent)))
                paper.refund(redemption, chance.randint(1, left), acceptor, at=at, issuer=issuer)
            case "expire":
                paper.write("EXPIRY", [("AVAILABLE", f"EXPIRED:{one}", points)], at=at)
    return prices, paper, [entry.seq for entry in paper.buckets[0]]


def closed_at(paper: Journal, cuts: Sequence[int]) -> list[Edge]:
    """Windows that end behind these entries; the last one long after."""
    entries, edges = list(paper.buckets[0]), []
    for number, cut in enumerate(cuts):
        paper.buckets[0] = entries[:cut]
        edges.append(paper.checkpoint(day(200 + number)))
    paper.buckets[0] = entries
    return [*edges, paper.checkpoint(day(400))]


def totals(all_books: Sequence[Books]) -> dict[tuple[str, str], int]:
    sums: Counter[tuple[str, str]] = Counter()
    for books in all_books:
        for currency in {one.currency for one in books.nets}:
            assert sum(one.net_minor for one in books.nets if one.currency == currency) == 0
        sums.update({(one.partner, one.currency): one.net_minor for one in books.nets})
    return {key: minor for key, minor in sums.items() if minor}


def check(seed: int, cuts: Sequence[int]) -> None:
    prices, paper, _ = network(seed)
    whole = totals(settled(paper, prices, closed_at(paper, [])))
    assert totals(settled(paper, prices, closed_at(paper, cuts))) == whole


@given(st.integers(0, 10**9), st.data())
@settings(max_examples=60, deadline=None)
def test_any_cut_into_windows_gives_the_same_money(seed: int, data: st.DataObject) -> None:
    seqs = network(seed)[2]
    cuts = sorted(data.draw(st.lists(st.sampled_from(seqs), unique=True))) if seqs else []
    check(seed, cuts)


def test_nets_of_many_random_networks_add_up_to_zero_in_each_currency() -> None:
    """All of them with `python -m tests.settlement.domain.test_bill`; here a sample that takes seconds."""
    for seed in range(NETWORKS // 100):
        check(seed, network(seed)[2][::2])


if __name__ == "__main__":
    for number in range(NETWORKS):
        check(number, network(number)[2][::2])
    print(f"{NETWORKS} networks: nets sum to zero, and no cut changes the money")
