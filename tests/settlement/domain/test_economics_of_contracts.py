"""The worked examples of domain.md that turn on what a contract says: E7, E8, E13, E15, E19, on the rules alone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from services.settlement.domain.bill import bill
from services.settlement.domain.contract import VersionId
from services.settlement.domain.legs import Leg
from services.settlement.domain.lines import Line, Rollup
from services.settlement.domain.nets import Net
from services.settlement.domain.prepaid import Span
from services.settlement.domain.terms import Tax, Treatment
from shared.instants import micros
from shared.money import Rate, decimal_text, half_even, half_up
from tests.settlement.paper import Journal, agreed, book, day
from tests.settlement.reckoning import Books, settled
from tests.support.vectors import example

SHORTFALL = {"ALLOW_NEGATIVE": "OWED", "WITHHOLD_FROM_REFUND": "WITHHELD", "WRITE_OFF": "WRITTEN_OFF"}
ROUNDED = {"HALF_UP": half_up, "HALF_EVEN": half_even}
DOCUMENTS = {"invoice": Leg.ISSUANCE, "self_billed_note": Leg.REIMBURSEMENT}


def lines(books: Books, leg: Leg) -> list[Line]:
    return [line for line, _ in books.lines if line.key.leg is leg]


def booked(books: Books, leg: Leg) -> Counter[str]:
    """Minor units of a leg, by the partner whose contract it follows."""
    return Counter({line.key.partner: line.booked_minor for line in lines(books, leg)})


def net(books: Books, partner: str) -> Net:
    return next(one for one in books.nets if one.partner == partner)


def midnight(date: str) -> int:
    return micros(datetime.fromisoformat(date).replace(tzinfo=UTC))


@pytest.mark.parametrize("id_", ["E7a", "E7b", "E7c"])
def test_e7_only_what_came_back_is_credited_and_a_repaid_debt_is(id_: str) -> None:
    """Each step is a window of its own, so that its money shows."""
    e7 = example(id_)
    given, totals = e7["given"], e7["then"]["totals"]
    names = {given["issuer"]: "acorn", given["acceptor"]: "birch", given["other_issuer"]: "cedar"}
    account = f"{SHORTFALL[given['negative_balance_policy']]}:acorn"
    paper, edges, left, lot = Journal(), [], 0, "1.0"
    for number, (step, then) in enumerate(zip(e7["when"], e7["then"]["steps"], strict=True), start=1):
        points, partner = step["points"], names[step["partner"]]
        match step["do"]:
            case "award":
                repaid = [("AVAILABLE", "OWED:acorn", then["repaid"], f"{number}.0", lot)] if "repaid" in then else []
                paper.write("AWARD", [(f"ISSUED:{partner}", "AVAILABLE", points), *repaid])
                left += points
            case "redeem":
                paper.redeem(points, partner, issuer="acorn")
                left -= points
            case "reverse":
                recovered = min(left, points)
                assert recovered == then["recovered"]
                short = (account, f"ISSUED:{partner}", points - recovered, lot)
                back = [("AVAILABLE", f"ISSUED:{partner}", recovered, lot), short]
                paper.write("REVERSAL", back, original=1)
                left -= points
        edges.append(paper.checkpoint(day(number)))
    rates = agreed(given, given["billing_rate"], given["reimbursement_rate"])
    windows = settled(paper, book(**dict.fromkeys(names.values(), rates)), edges)
    for books, then in zip(windows, e7["then"]["steps"], strict=True):
        billed, reimbursed = booked(books, Leg.ISSUANCE), booked(books, Leg.REIMBURSEMENT)
        assert billed["acorn"] == then.get("A_billed_minor", 0) - then.get("A_credited_minor", 0)
        assert billed["cedar"] == then.get("C_billed_minor", 0)
        assert reimbursed["birch"] == then.get("B_reimbursed_minor", 0)
    whole = [booked(books, Leg.ISSUANCE) for books in windows]
    assert sum(one["acorn"] for one in whole) == totals["A_net_billed_minor"]
    assert sum(one["cedar"] for one in whole) == totals.get("C_billed_minor", 0)
    assert sum(booked(books, Leg.REIMBURSEMENT)["birch"] for books in windows) == totals["B_reimbursed_minor"]
    (returned,) = lines(windows[2], Leg.ISSUANCE)
    assert -returned.points == totals.get("reversed_points", e7["then"]["steps"][2]["recovered"])


def test_e8_a_reversal_is_credited_at_the_rate_of_its_award() -> None:
    e8 = example("E8")
    given, then, (awarded, reversed_) = e8["given"], e8["then"], e8["when"]
    old, new = given["billing_rates"]
    assert old["until"] == new["from"]
    versions = [agreed(given, old["rate"]), agreed(given, new["rate"], since=midnight(new["from"]))]
    paper = Journal()
    award = paper.award(awarded["points"], at=midnight(awarded["on"]))
    assert reversed_["of"] == awarded["id"]
    assert given["partner"] == awarded["partner"]
    first = paper.checkpoint(midnight(old["until"]))
    paper.reverse(award, reversed_["points"], at=midnight(reversed_["on"]))
    billed, credited = (
        booked(books, Leg.ISSUANCE)["acorn"]
        for books in settled(paper, book(acorn=versions), [first, paper.checkpoint(midnight(reversed_["on"]) + 1)])
    )
    assert (billed, -credited) == (then["billed_minor"], then["credited_minor"])
    wrong = half_even(Rate.of(new["rate"]).times(reversed_["points"]), given["currency_exponent"])
    assert wrong == then["wrong"]["credited_at_new_rate_minor"] != -credited


def test_e13_tax_is_taken_once_per_line_and_both_documents_remain() -> None:
    e13 = example("E13")
    given, then = e13["given"], e13["then"]
    rate = Rate.of(given["tax_rate"])
    taxes = tuple(Tax(leg, Treatment(given["tax_treatment"]), "DE", rate) for leg in DOCUMENTS.values())
    billed, noted = given["documents"]
    issuer, acceptor = (f"partner-{one['partner'].lower()}" for one in (billed, noted))
    paper = Journal()
    paper.award(billed["net_minor"], issuer)
    paper.redeem(noted["net_minor"], acceptor)
    prices = book(**{issuer: agreed(given, "0.01", taxes=taxes), acceptor: agreed(given, "0", "0.01", taxes=taxes)})
    (books,) = settled(paper, prices, [paper.checkpoint(day(9))])
    for one, partner, sign in ((billed, issuer, -1), (noted, acceptor, 1)):
        expected, (line,) = then[one["document"]], lines(books, DOCUMENTS[one["document"]])
        assert (line.key.partner, line.booked_minor) == (partner, one["net_minor"])
        assert line.tax_minor == expected["tax_minor"]
        exact = rate.times(line.booked_minor).scaleb(-given["currency_exponent"])
        assert decimal_text(exact) == expected["tax_exact"]
        assert ROUNDED[given["tax_rounding"]](exact, given["currency_exponent"]) == line.tax_minor
        assert line.booked_minor + line.tax_minor == expected["gross_minor"]
        assert net(books, partner).net_minor == sign * expected["gross_minor"]
    taxed = [json.loads(one)["lines"] for one in books.statements.values()]
    assert sum(bool(one) for one in taxed) == then["documents_after_netting"]


def test_e15_hybrid_bills_part_now_and_part_when_points_are_spent() -> None:
    e15 = example("E15")
    given, then, (spent,) = e15["given"], e15["then"], e15["when"]
    hybrid = agreed(
        given, given["issuance_rate"], given["reimbursement_rate"], rate_at_redemption=given["redemption_rate"]
    )
    assert spent["partner"] == given["acceptor"]
    acceptor = f"partner-{spent['partner'].lower()}"
    paper, names = Journal(), {"A": "acorn", "B": "birch"}
    for lot in given["lots"]:
        paper.award(lot["points"], names[lot["issuer"]])
    for lot in given["lots"]:
        paper.redeem(lot["points"], acceptor, issuer=names[lot["issuer"]])
    prices = book(acorn=hybrid, birch=hybrid, **{acceptor: agreed(given, "0", given["reimbursement_rate"])})
    (books,) = settled(paper, prices, [paper.checkpoint(day(31))])
    (paid,) = lines(books, Leg.REIMBURSEMENT)
    assert paid.points == spent["points"]
    assert booked(books, Leg.ISSUANCE).total() == then["billed_at_issuance_minor"]
    at_redemption = booked(books, Leg.REDEMPTION)
    assert {letter: at_redemption[name] for letter, name in names.items()} == then["billed_at_redemption_minor"]
    assert booked(books, Leg.REIMBURSEMENT) == {acceptor: then["reimbursed_minor"][given["acceptor"]]}
    assert net(books, "operator").net_minor == then["margin_minor"]


def test_e19_half_of_a_disputed_line_comes_back_at_its_rate() -> None:
    e19 = example("E19")
    given, then = e19["given"]["disputed_line"], e19["then"]["adjustment"]
    leg, uphold = Leg(given["direction"]), e19["when"][1]
    partner = f"partner-{given['partner'].lower()}"
    versions = [agreed(e19["given"], "0", given["rate"]), agreed(e19["given"], "0", "0.5", since=day(99))]
    prices = book(**{partner: versions})
    first = VersionId(partner, 1)
    closed = Rollup(leg, first, given["points"], 1, 0)
    (line,) = bill([closed], [], Span(None, 0), prices)
    assert line.booked_minor == given["amount_minor"]
    upheld = int(given["points"] * Rate.of(uphold["share"]).value)
    assert (upheld, f"partner-{then['partner'].lower()}", then["direction"]) == (then["points"], partner, leg.value)
    (found,) = bill([Rollup(leg, first, upheld, 1, 0, subject="adjustments/1")], [closed], Span(0, 1), prices)
    assert (found.key.subject, str(found.key.rate)) == ("adjustments/1", then["rate"])
    assert found.booked_minor == then["net_minor"]
