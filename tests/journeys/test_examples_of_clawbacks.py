"""E7 and E22 at the running services: points that are gone when the goods come back, and what may be spent at once."""

from __future__ import annotations

from decimal import Decimal

import grpc
import pytest
from coalition.ledger.v1 import ledger_pb2 as ledger

from shared.money import Rate, major
from tests.journeys.story import SECONDS, Story, terms, yesterday
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused
from tests.support.vectors import Example, example


def agree_on(story: Story, letter: str, **policy: object) -> None:
    """What a partner's contract tells the ledger."""
    stated = ledger.PartnerPolicy(partner=story.partners[letter].id, revision=1, **policy)  # type: ignore[arg-type]  # its fields
    request = ledger.SetPartnerPolicyRequest(policy=stated)
    story.platform.operator.ledger.SetPartnerPolicy(request, timeout=SECONDS)


def told(platform: RunningPlatform, e7: Example) -> tuple[Story, list[ledger.Entry]]:
    """The partners, and the entries of the steps."""
    given = e7["given"]
    story = Story(platform)
    for letter in (given["issuer"], given["acceptor"], given["other_issuer"]):
        story.join(letter, terms(given, yesterday(platform)))
    policy = f"NEGATIVE_BALANCE_{given['negative_balance_policy']}"
    agree_on(story, given["issuer"], negative_balance=ledger.NegativeBalance.Value(policy))
    entries: list[ledger.Entry] = []
    for step in e7["when"]:
        match step["do"]:
            case "award":
                entries.append(story.award(step["partner"], step["points"]))
            case "redeem":
                entries.append(story.redeem(step["partner"], step["points"]))
            case "reverse":
                entries.append(story.reverse(step["partner"], entries[0], step["points"]))
    return story, entries


@pytest.mark.parametrize("name", ["E7a", "E7b", "E7c"])
def test_e7_the_issuer_gets_back_what_comes_back_and_the_acceptor_is_paid_in_full(
    platform: RunningPlatform, name: str
) -> None:
    e7 = example(name)
    given, totals = e7["given"], e7["then"]["totals"]
    story, entries = told(platform, e7)
    for entry, then in zip(entries, e7["then"]["steps"], strict=True):
        balance = entry.balance
        total = balance.available + balance.pending + balance.held - balance.debt
        assert total == then["balance"]
        for field in ("available", "debt"):
            assert getattr(balance, field) == then.get(field, getattr(balance, field))
        for key in ("recovered", "repaid", "withheld_points", "written_off_points"):
            field = key if key.endswith("_points") else f"{key}_points"
            assert getattr(entry, field) == then.get(key, getattr(entry, field))
        worth = Rate.of(given["face_value"]).times(entry.withheld_points)  # what the refund of the goods is less by
        assert worth == major(then.get("withheld_minor", 0), given["currency_exponent"])
    assert story.balance(given["issuer"]).available == totals["outstanding_points"]
    if "reversed_points" in totals:
        assert sum(entry.recovered_points for entry in entries) == totals["reversed_points"]

    window = platform.close_window()
    billed = story.statement(given["issuer"], window)
    assert sum(line["booked_minor"] for line in billed.lines) == totals["A_net_billed_minor"]
    reimbursed = story.statement(given["acceptor"], window).line("REIMBURSEMENT")["booked_minor"]
    assert reimbursed == totals["B_reimbursed_minor"]
    spent = next(step["points"] for step in e7["when"] if step["do"] == "redeem")
    discount = Rate.of(given["face_value"]).times(spent) - major(reimbursed, given["currency_exponent"])
    assert discount == (Decimal(given["face_value"]) - Decimal(given["reimbursement_rate"])) * spent, (
        "the acceptor's own"
    )
    if "C_billed_minor" in totals:
        other = story.statement(given["other_issuer"], window).line("ISSUANCE")["booked_minor"]
        assert other == totals["C_billed_minor"]


def test_e22_a_till_is_told_what_it_may_offer(platform: RunningPlatform) -> None:
    e22 = example("E22")
    given = e22["given"]
    story = Story(platform)
    story.join("P", terms(example("E1")["given"], yesterday(platform)))
    agree_on(story, "P", redemption_step=given["redemption_step"])
    story.award("P", given["available"])
    hold = story.partners["P"].calls.ledger.HoldPoints
    refusing, accepting = zip(e22["when"], e22["then"]["steps"], strict=True)
    step, then = refusing
    request = story.hold_request("P", step["points"])
    refused = Refused.of(lambda: hold(request, timeout=SECONDS))
    assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
    offered = then["refused"]["details"]["max_redeemable_points"]
    assert refused.metadata["maxRedeemablePoints"] == str(offered)
    assert story.balance("P").available == then["available"]
    step, then = accepting
    assert step["points"] == offered
    hold(story.hold_request("P", offered), timeout=SECONDS)
    balance = story.balance("P")
    assert (balance.held, balance.available) == (then["held"], then["available"])
