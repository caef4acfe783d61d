"""E5 and E6 at the running services: what a receipt earns, who pays for it, and what a return takes back."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest
from coalition.catalogue.v1 import catalogue_pb2 as catalogue
from coalition.identity.v1 import identity_pb2 as identity

from shared.rpc.wire import decimal_pb, money_pb
from tests.journeys.shopping import give_back, per_unit, publish, receipt, record
from tests.journeys.story import SECONDS, Story, version, yesterday
from tests.support.platform import RunningPlatform
from tests.support.vectors import Example, example

BILLING = "0.012"


@pytest.fixture
def story(platform: RunningPlatform) -> Story:
    told = Story(platform)
    told.join("A", version(yesterday(platform), "EUR", issuance=BILLING))
    return told


def gold_rules(given: Example, spelling: str) -> list[catalogue.EarnRule]:
    """The base rule and what gold members get on top, paid by the operator; two ways to say it."""
    base, gold = given["rules"]
    gold_only = catalogue.EarnCondition(segments=[gold["rule"]])
    payer = gold["payer"].lower()
    if spelling == "points_per_unit":
        bonus = per_unit(gold["rule"], gold["points_per_unit"], condition=gold_only, payer=payer)
    else:
        times = 1 + Decimal(gold["points_per_unit"]) / Decimal(base["points_per_unit"])
        bonus = catalogue.EarnRule(rule_id=gold["rule"], multiplier=decimal_pb(times), condition=gold_only, payer=payer)
    return [per_unit(base["rule"], base["points_per_unit"]), bonus]


@pytest.mark.parametrize("spelling", ["points_per_unit", "multiplier"])
def test_e5_one_floor_then_attribution_to_those_who_pay(story: Story, spelling: str) -> None:
    e5 = example("E5")
    given, then = e5["given"], e5["then"]
    partner = story.partners["A"]
    publish(story, given["currency"], gold_rules(given, spelling))
    segments = identity.SetSegmentsRequest(name=story.anna.name, segments=[given["rules"][1]["rule"]])
    story.platform.operator.members.SetSegments(segments, timeout=SECONDS)
    sale = receipt(story, given["currency"], [given["eligible_minor"]])
    dry_run = catalogue.RatePurchaseRequest(grant=story.platform.grant(partner, story.anna), receipt=sale)
    rated = partner.calls.purchases.RatePurchase(dry_run, timeout=SECONDS)
    recorded = record(story, sale)

    payers = {partner.id if who == "A" else who.lower(): points for who, points in then["payers"].items()}
    assert rated.exact_points.value == then["points_exact"]
    for answer in (rated, recorded):
        assert answer.points == then["awarded"] != then["wrong"]["floor_each_rule"]
        assert {one.payer: one.points for one in answer.attributions} == payers
    assert story.balance("A").available == then["awarded"]
    line = story.statement("A", story.platform.close_window()).line("ISSUANCE")
    assert line["points"] == then["payers"]["A"]


def test_e5_without_the_segment_the_base_rule_alone_gives(story: Story) -> None:
    given = example("E5")["given"]
    publish(story, given["currency"], gold_rules(given, "points_per_unit"))
    earned = record(story, receipt(story, given["currency"], [given["eligible_minor"]])).points
    assert earned == given["eligible_minor"] // 10 ** given["currency_exponent"]


def test_e6a_partial_returns_telescope(story: Story) -> None:
    e6a = example("E6a")
    given, then = e6a["given"], e6a["then"]
    publish(story, given["currency"], [per_unit("base", given["rule"]["points_per_unit"])])
    purchase = record(story, receipt(story, given["currency"], given["lines_minor"]))
    returned = [step["line"] for step in e6a["when"] if step["do"] == "return_line"]
    refunds = [give_back(story, purchase, line) for line in returned]
    assert purchase.points == then["awarded"]
    assert [refund.clawed_back_points for refund in refunds] == then["clawbacks"]
    assert [refund.remaining_points for refund in refunds] == then["remaining_award"]
    assert story.balance("A").available == 0


def test_e6a_whatever_the_order_the_clawbacks_add_up_to_the_award(story: Story) -> None:
    e6a = example("E6a")
    given, then = e6a["given"], e6a["then"]
    publish(story, given["currency"], [per_unit("base", given["rule"]["points_per_unit"])])
    for order in permutations(range(1, len(given["lines_minor"]) + 1)):
        purchase = record(story, receipt(story, given["currency"], given["lines_minor"]))
        taken = sum(give_back(story, purchase, line).clawed_back_points for line in order)
        assert taken == then["sum_in_any_order"] != then["wrong"]["sum_of_per_line_floors"]
    assert story.balance("A").available == 0


def test_e6b_the_bonus_goes_back_when_the_basket_no_longer_deserves_it(story: Story) -> None:
    e6b = example("E6b")
    given, then = e6b["given"], e6b["then"]
    rule = given["rule"]
    from_amount = catalogue.EarnCondition(min_amount=money_pb(rule["bonus_from_minor"], given["currency"]))
    bonus = catalogue.EarnRule(rule_id="bonus", bonus_points=rule["bonus"], condition=from_amount)
    publish(story, given["currency"], [per_unit("base", rule["points_per_unit"]), bonus])
    purchase = record(story, receipt(story, given["currency"], given["lines_minor"]))
    refunds = [give_back(story, purchase, step["line"]) for step in e6b["when"] if step["do"] == "return_line"]
    assert purchase.points == then["awarded"]
    assert [refund.remaining_points for refund in refunds] == then["remaining_award"]
    clawbacks = [refund.clawed_back_points for refund in refunds]
    assert (clawbacks, sum(clawbacks)) == (then["clawbacks"], then["sum"])
    assert story.balance("A").available == 0
