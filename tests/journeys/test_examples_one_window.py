"""E1 to E3 at the running services: what a window bills, to the last fraction."""

from __future__ import annotations

from decimal import Decimal

import pytest
from coalition.ledger.v1 import ledger_pb2 as ledger

from tests.journeys.story import SECONDS, Story, award, terms, yesterday
from tests.support.platform import RunningPlatform
from tests.support.vectors import Example, example


def exponent(given: Example) -> Decimal:
    """How many minor units make a major one."""
    return Decimal(10) ** int(given["currency_exponent"])


def test_e1_three_partners_settle_through_the_operator(platform: RunningPlatform) -> None:
    e1 = example("E1")
    given, then = e1["given"], e1["then"]
    story = Story(platform)
    for letter in given["partners"]:
        story.join(letter, terms(given, yesterday(platform)))
    for step in e1["when"]:
        match step["do"]:
            case "award":
                story.award(step["partner"], step["points"])
            case "redeem":
                story.redeem(step["partner"], step["points"])
    window = platform.close_window()

    statements = {letter: story.statement(letter, window) for letter in given["partners"]}
    assert {
        letter: {
            "billed_exact": one.line("ISSUANCE")["exact"],
            "billed_minor": one.line("ISSUANCE")["booked_minor"],
            "reimbursed_exact": one.line("REIMBURSEMENT")["exact"],
            "reimbursed_minor": one.line("REIMBURSEMENT")["booked_minor"],
            "net_minor": one.net_minor,
        }
        for letter, one in statements.items()
    } == then["statements"]
    billed = [one.line("ISSUANCE") for one in statements.values()]
    reimbursed = [one.line("REIMBURSEMENT") for one in statements.values()]
    nets = [one.net_minor for one in statements.values()]
    totals = then["totals"]
    assert sum(line["points"] for line in billed) == totals["awarded_points"]
    assert sum(line["points"] for line in reimbursed) == totals["redeemed_points"]
    assert story.balance("A").available == totals["outstanding_points"]
    assert sum(line["booked_minor"] for line in billed) == totals["billed_minor"]
    assert sum(line["booked_minor"] for line in reimbursed) == totals["reimbursed_minor"]
    assert (sum(nets), -sum(nets)) == (totals["partners_net_minor"], totals["operator_cash_minor"])
    gross = sum(line["booked_minor"] for line in [*billed, *reimbursed])
    netted = sum(map(abs, nets))
    assert {"gross_flows_minor": gross, "net_flows_minor": netted} == then["netting"]
    rounding = then["rounding_account"]
    for lines, sign, key in ((billed, 1, "billing_exact"), (reimbursed, -1, "reimbursement_exact")):
        booked = sum(line["booked_minor"] for line in lines) / exponent(given)
        assert sign * (booked - sum(Decimal(line["exact"]) for line in lines)) == Decimal(rounding[key])


def test_e1_all_nets_of_the_window_add_up_to_zero_with_the_operators_last(platform: RunningPlatform) -> None:
    e1 = example("E1")
    story = Story(platform)
    story.join("A", terms(e1["given"], yesterday(platform)))
    story.award("A", 12_345)
    window = platform.close_window()
    nets = [net for net in window.nets if net.net.currency_code == e1["given"]["currency"]]
    assert nets[-1].partner == "operator"
    assert sum(net.net.units for net in nets) * 10**9 + sum(net.net.nanos for net in nets) == 0


def test_e2_a_thousand_awards_are_rounded_once(platform: RunningPlatform) -> None:
    e2 = example("E2")
    given, then = e2["given"], e2["then"]
    [step, _] = e2["when"]
    story = Story(platform)
    till = story.join("A", terms(given, yesterday(platform)))
    grant = platform.grant(till, story.anna)
    left = step["times"]
    while left:
        batch = ledger.BatchAwardPointsRequest(items=[award(grant, step["points"]) for _ in range(min(left, 500))])
        results = till.calls.ledger.BatchAwardPoints(batch, timeout=SECONDS).results
        assert all(result.HasField("entry") for result in results)
        left -= len(results)

    line = story.statement("A", platform.close_window()).line("ISSUANCE")
    assert (line["points"], line["items"]) == (then["awarded_points"], step["times"])
    assert (line["exact"], line["booked_minor"]) == (then["billed_exact"], then["billed_minor"])
    assert line["booked_minor"] != then["wrong"]["rounded_per_award_minor"]


@pytest.mark.parametrize("rule", ["HALF_EVEN", "HALF_UP"])
def test_e3_the_contract_names_the_rounding_rule(platform: RunningPlatform, rule: str) -> None:
    e3 = example("E3")
    given, then = e3["given"], e3["then"]
    story = Story(platform)
    for letter in given["partners"]:
        story.join(letter, terms(given, yesterday(platform), rounding=f"CUMULATIVE_{rule}"))
    for step in e3["when"]:
        if step["do"] == "award":
            story.award(step["partner"], step["points"])
    window = platform.close_window()

    lines = {letter: story.statement(letter, window).line("ISSUANCE") for letter in given["partners"]}
    assert {letter: line["exact"] for letter, line in lines.items()} == then["exact"]
    booked = {letter: line["booked_minor"] for letter, line in lines.items()}
    assert {**booked, "sum_minor": sum(booked.values())} == then[rule]
    assert sum(Decimal(line["exact"]) for line in lines.values()) == Decimal(then["exact_sum"])
