"""The worked examples of domain.md, on the rules alone."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest

from services.settlement.domain.lines import Line
from services.settlement.domain.nets import Net
from services.settlement.domain.obligations import Leg
from services.settlement.domain.terms import Rounding
from services.settlement.domain.window import Edge
from shared.instants import micros
from shared.money import decimal_text, half_even
from tests.settlement.paper import Journal, Wrote, agreed, book, day
from tests.settlement.reckoning import Books, settled
from tests.support.vectors import example


def instant(text: str) -> int:
    return micros(datetime.fromisoformat(f"{text}T12:00:00+00:00"))


def midnight(text: str) -> int:
    return micros(datetime.fromisoformat(f"{text}T00:00:00+00:00"))


def name(partner: str) -> str:
    return f"partner-{partner.lower()}"


def net(books: Books, partner: str) -> Net:
    return next(one for one in books.nets if one.partner == partner)


def line(books: Books, partner: str, leg: Leg) -> Line:
    return next(one for one, _ in books.lines if (one.key.partner, one.key.leg) == (partner, leg))


def test_e1_one_window_three_partners() -> None:
    e1 = example("E1")
    given, then = e1["given"], e1["then"]
    rates = agreed(given, given["billing_rate"], given["reimbursement_rate"])
    paper = Journal()
    for step in e1["when"]:
        if step["do"] == "award":
            paper.award(step["points"], name(step["partner"]))
        elif step["do"] == "redeem":
            paper.redeem(step["points"], name(step["partner"]))
    prices = book(**{name(partner): rates for partner in given["partners"]})
    (books,) = settled(paper, prices, [paper.checkpoint(day(31))])
    for partner, expected in then["statements"].items():
        found = net(books, name(partner))
        money = (expected["billed_minor"], expected["reimbursed_minor"], expected["net_minor"])
        assert (found.billed_minor, found.reimbursed_minor, found.net_minor) == money
        assert decimal_text(line(books, name(partner), Leg.ISSUANCE).exact) == expected["billed_exact"]
        assert decimal_text(line(books, name(partner), Leg.REIMBURSEMENT).exact) == expected["reimbursed_exact"]
    assert books.nets[-1] == Net("operator", "EUR", 0, 0, then["totals"]["operator_cash_minor"])
    assert sum(one.net_minor for one in books.nets) == 0
    partners = books.nets[:-1]
    assert sum(one.billed_minor for one in partners) == then["totals"]["billed_minor"]
    assert sum(one.reimbursed_minor for one in partners) == then["totals"]["reimbursed_minor"]
    assert sum(one.billed_minor + one.reimbursed_minor for one in partners) == then["netting"]["gross_flows_minor"]
    assert sum(abs(one.net_minor) for one in partners) == then["netting"]["net_flows_minor"]


def test_e2_rounds_once_per_line() -> None:
    e2 = example("E2")
    step, paper = e2["when"][0], Journal()
    for _ in range(step["times"]):
        paper.award(step["points"], "acorn")
    given = e2["given"]
    prices = book(acorn=agreed(given, given["billing_rate"], given["reimbursement_rate"]))
    (books,) = settled(paper, prices, [paper.checkpoint(day(31))])
    (found,) = (one for one, _ in books.lines)
    alone = half_even(found.key.rate.times(step["points"]), given["currency_exponent"]) * step["times"]
    assert alone == e2["then"]["wrong"]["rounded_per_award_minor"] != found.booked_minor
    assert (found.points, found.booked_minor) == (e2["then"]["awarded_points"], e2["then"]["billed_minor"])
    assert decimal_text(found.exact) == e2["then"]["billed_exact"]


@pytest.mark.parametrize("rule", ["HALF_EVEN", "HALF_UP"])
def test_e3_the_contract_names_the_rounding(rule: str) -> None:
    e3 = example("E3")
    rates = agreed(e3["given"], e3["given"]["billing_rate"], rounding=Rounding(f"CUMULATIVE_{rule}"))
    paper = Journal()
    for step in e3["when"]:
        if step["do"] == "award":
            paper.award(step["points"], name(step["partner"]))
    prices = book(**{name(partner): rates for partner in e3["given"]["partners"]})
    (books,) = settled(paper, prices, [paper.checkpoint(day(31))])
    then = e3["then"][rule]
    assert {partner: net(books, name(partner)).billed_minor for partner in e3["given"]["partners"]} == {
        partner: then[partner] for partner in e3["given"]["partners"]
    }
    assert books.nets[-1].net_minor == then["sum_minor"]
    exact = {partner: line(books, name(partner), Leg.ISSUANCE).exact for partner in e3["given"]["partners"]}
    assert {partner: decimal_text(one) for partner, one in exact.items()} == e3["then"]["exact"]
    assert decimal_text(sum(exact.values(), start=Decimal(0))) == e3["then"]["exact_sum"]


@pytest.mark.parametrize("length", [one["length_days"] for one in example("W1")["when"]])
def test_w1_the_bill_does_not_depend_on_window_cuts(length: int) -> None:
    w1 = example("W1")
    given, then = w1["given"], w1["then"]
    paper, edges = Journal(), list[Edge]()
    for number in range(given["days"]):
        paper.award(given["points_per_day"], "cedar", at=day(number))
        if (number + 1) % length == 0:
            edges.append(paper.checkpoint(day(number + 1)))
    prices = book(cedar=agreed(given, given["billing_rate"], given["reimbursement_rate"]))
    windows = settled(paper, prices, edges)
    booked = [net(books, "cedar").billed_minor for books in windows]
    expected = then["booked_minor"]["length_1_first_five" if length == 1 else f"length_{length}"]
    assert booked[: len(expected)] == expected
    assert sum(booked) == then["total_minor"]
    exact = [line(books, "cedar", Leg.ISSUANCE).exact for books in windows]
    assert decimal_text(sum(exact, start=Decimal(0))) == then["exact"]
    if length == 1:
        alone = sum(half_even(one, given["currency_exponent"]) for one in exact)
        assert alone == then["wrong"]["daily_windows_rounded_alone_minor"] != sum(booked)


def w2(*, with_the_late_award: bool) -> list[Books]:
    vector = example("W2")
    old, new = vector["given"]["billing_rates"]
    assert old["until"] == new["from"]
    given = vector["given"]
    prices = book(acorn=[agreed(given, old["rate"]), agreed(given, new["rate"], since=midnight(new["from"]))])
    paper, edges, written = Journal(), list[Edge](), dict[str, Wrote]()
    for step in vector["when"]:
        match step["do"]:
            case "award" if with_the_late_award or not step.get("late"):
                written[step["id"]] = paper.award(step["points"], at=instant(step["occurred_on"]))
            case "reverse":
                paper.reverse(written[step["of"]], step["points"], at=instant(step["occurred_on"]))
            case "close_window":
                edges.append(paper.checkpoint(midnight(f"2026-{5 + len(edges):02}-01")))
    return settled(paper, prices, edges)


def test_w2_reversals_and_a_late_entry_across_windows() -> None:
    then = example("W2")["then"]
    all_books = w2(with_the_late_award=True)
    lines = [line(books, "acorn", Leg.ISSUANCE) for books in all_books]
    windows = list(then["booked_minor"])
    assert [one.booked_minor for one in lines] == [then["booked_minor"][window] for window in windows]
    assert sum(one.booked_minor for one in lines) == then["sum_minor"]
    assert {str(one.key.rate) for one in lines} == {then["line_rate"]}
    cumulative = [decimal_text(one.key.rate.times(one.points_after)) for one in lines]
    assert cumulative == [then["cumulative_exact"][window] for window in windows]
    late = {step["id"] for step in example("W2")["when"] if step.get("late")}
    assert (late, then["late"]["mark"]) == ({then["late"]["entry"]}, "LATE")
    assert windows == example("W2")["given"]["windows"]
    assert [one.late_items for one in lines] == [int(window == then["late"]["window"]) for window in windows]
    assert all(len(books.lines) == 1 for books in all_books), "the newer rate never gets a line"


def test_w2_a_full_reversal_closes_to_exactly_zero() -> None:
    then = example("W2")["then"]["without_the_late_award"]
    lines = [line(books, "acorn", Leg.ISSUANCE) for books in w2(with_the_late_award=False)]
    booked = [one.booked_minor for one in lines]
    alone = [half_even(one.exact, example("W2")["given"]["currency_exponent"]) for one in lines]
    assert alone == then["wrong"]["each_window_rounded_alone_minor"]
    assert sum(alone) == then["wrong"]["sum_minor"] != sum(booked)
    assert booked[-1] == then["w3_booked_minor"]
    assert sum(booked) == then["sum_minor"]


def test_w2_what_comes_later_does_not_change_a_closed_window() -> None:
    first, other = w2(with_the_late_award=True)[0], w2(with_the_late_award=False)[0]
    assert (first.statements == other.statements) is example("W2")["then"]["w1_bytes_unchanged"]
    assert json.loads(first.statements["acorn"])["window"] == 1
