"""Publishing rules: versions, intervals, and what cannot be published."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import grpc
import pytest
from coalition.catalogue.v1 import catalogue_pb2 as pb
from google.type.decimal_pb2 import Decimal as DecimalMessage

from shared.refusal import Kind
from shared.rpc.remote import remote_refusal
from shared.rpc.wire import timestamp
from tests.catalogue.house import BEGINNING, House, Till, base, euros, publication


def everything(brand: str) -> list[pb.EarnRule]:
    """One rule of each kind, with every part of a condition."""
    condition = pb.EarnCondition(categories=["A", "B"], segments=["gold"], stores=["1", "2"], min_amount=euros(5000))
    return [
        base("1.5"),
        pb.EarnRule(rule_id="gold", multiplier=DecimalMessage(value="1.25"), payer="operator", condition=condition),
        pb.EarnRule(rule_id="bonus", bonus_points=500, payer=brand),
        pb.EarnRule(rule_id="no-wine", exclude=True, condition=pb.EarnCondition(categories=["WINE"])),
    ]


def test_what_is_published_reads_back_as_it_was_written(house: House) -> None:
    brand = house.partner()
    till = house.till(*everything(brand))
    asked = pb.GetEarnRulesRequest(name=f"{till.name}/earnRules/1")
    rules = till(till.rules.GetEarnRules, asked)
    assert list(rules.rules) == everything(brand)
    assert (rules.name, rules.currency) == (asked.name, "EUR")
    assert rules.effective_from == timestamp(BEGINNING)
    assert not rules.HasField("effective_until")


def test_a_new_version_ends_the_one_before_it(house: House, till: Till) -> None:
    tomorrow = BEGINNING + timedelta(days=1)
    second = house.publish(till.id, base("2"), at=tomorrow)
    first = till(till.rules.GetEarnRules, pb.GetEarnRulesRequest(name=f"{till.name}/earnRules/1"))
    current = till(till.rules.GetEarnRules, pb.GetEarnRulesRequest(name=f"{till.name}/earnRules/current"))
    assert second.name == f"{till.name}/earnRules/2"
    assert first.effective_until == second.effective_from == timestamp(tomorrow)
    assert current == first


def test_versions_are_listed_in_pages(house: House, till: Till) -> None:
    for day in range(1, 5):
        house.publish(till.id, base(str(day)), at=BEGINNING + timedelta(days=day))
    names, token = [], ""
    while True:
        request = pb.ListEarnRulesRequest(parent=till.name, page_size=2, page_token=token)
        page = till(till.rules.ListEarnRules, request)
        names += [rules.name.rpartition("/")[2] for rules in page.earn_rules]
        token = page.next_page_token
        if not token:
            break
    assert names == ["1", "2", "3", "4", "5"]
    other = house.till()
    foreign = pb.ListEarnRulesRequest(parent=other.name, page_token="x")
    assert other.refused(other.rules.ListEarnRules, foreign).reason == "INVALID_PAGE_TOKEN"


def test_the_same_request_id_gets_the_same_version(house: House) -> None:
    request = publication(house.partner(), base())
    operator = house.operator
    first, replay = operator.answered(operator.rules.PublishEarnRules, request)
    assert not replay
    assert operator.answered(operator.rules.PublishEarnRules, request) == (first, True)
    request.earn_rules.rules[0].points_per_unit.value = "2"
    refusal = operator.refused(operator.rules.PublishEarnRules, request)
    assert (refusal.reason, refusal.metadata["first"]) == ("REQUEST_ID_REUSED", first.name)


def test_a_version_that_does_not_begin_after_the_newest_is_refused(house: House, till: Till) -> None:
    operator = house.operator
    refusal = operator.refused(operator.rules.PublishEarnRules, publication(till.id, base("2"), at=BEGINNING))
    assert (refusal.kind, refusal.reason) == (Kind.NOT_NOW, "RULES_NOT_AFTER_NEWEST")


def test_parallel_publications_get_versions_without_gaps(house: House, till: Till) -> None:
    operator = house.operator

    def published(hours: int) -> str:
        asked = publication(till.id, base("2"), at=BEGINNING + timedelta(hours=hours))
        try:
            return operator(operator.rules.PublishEarnRules, asked).name
        except grpc.RpcError as error:
            return remote_refusal(error).reason

    with ThreadPoolExecutor(4) as together:
        answers = list(together.map(published, (1, 1, 1, 2)))
    made = sorted(answer for answer in answers if answer.startswith(till.name))
    assert made == [f"{till.name}/earnRules/{number}" for number in range(2, 2 + len(made))]
    assert {answer for answer in answers if answer not in made} == {"RULES_NOT_AFTER_NEWEST"}


@pytest.mark.parametrize(
    "wrong",
    [
        pb.EarnRule(rule_id="wrong", points_per_unit=DecimalMessage(value="0.0000000001")),
        pb.EarnRule(rule_id="wrong", points_per_unit=DecimalMessage(value="-1")),
        pb.EarnRule(rule_id="wrong", points_per_unit=DecimalMessage(value="1e3")),
        pb.EarnRule(rule_id="wrong", points_per_unit=DecimalMessage(value="1000000000")),
        pb.EarnRule(rule_id="wrong", multiplier=DecimalMessage(value="0.5")),
        pb.EarnRule(rule_id="wrong", bonus_points=1, condition={"min_amount": {"currency_code": "USD", "units": 1}}),
        pb.EarnRule(rule_id="wrong", bonus_points=1, condition={"min_amount": {"currency_code": "EUR", "units": -1}}),
        pb.EarnRule(rule_id="wrong", exclude=True, condition={"min_amount": {"currency_code": "EUR", "units": 1}}),
        pb.EarnRule(rule_id="base", bonus_points=1),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_is_named(house: House, wrong: pb.EarnRule) -> None:
    request = publication(f"p-{uuid.uuid4().hex[:12]}", base(), wrong)
    refusal = house.operator.refused(house.operator.rules.PublishEarnRules, request)
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "RULE_INVALID")
    assert refusal.metadata["ruleId"] == wrong.rule_id


def test_who_is_no_partner_neither_gets_rules_nor_pays(house: House) -> None:
    operator, partner = house.operator, house.partner()
    nobody = publication("nobody-at-all", base())
    refusal = operator.refused(operator.rules.PublishEarnRules, nobody)
    assert (refusal.kind, refusal.reason) == (Kind.NOT_THERE, "PARTNER_NOT_FOUND")
    brand = pb.EarnRule(rule_id="brand", bonus_points=5, payer="nobody-at-all")
    request = publication(partner, base(payer="operator"), brand)
    refusal = operator.refused(operator.rules.PublishEarnRules, request)
    assert (refusal.kind, refusal.reason) == (Kind.NOT_NOW, "PAYER_UNKNOWN")
    assert refusal.metadata == {"ruleId": "brand", "payer": "nobody-at-all"}
    request.earn_rules.rules[1].payer = house.partner()
    assert operator(operator.rules.PublishEarnRules, request).name == f"partners/{partner}/earnRules/1"


def test_a_payer_that_could_be_no_partner_breaks_the_contract(house: House) -> None:
    rule = pb.EarnRule(rule_id="wrong", bonus_points=1, payer="No Partner")
    request = publication(house.partner(), rule)
    refusal = house.operator.refused(house.operator.rules.PublishEarnRules, request)
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "INVALID_REQUEST")


def test_a_currency_that_is_none_is_refused(house: House) -> None:
    request = publication("grocer", base())
    request.earn_rules.currency = "ZZZ"
    refusal = house.operator.refused(house.operator.rules.PublishEarnRules, request)
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "INVALID_REQUEST")


def test_a_partner_reads_its_own_rules_and_publishes_none(house: House, till: Till) -> None:
    other = house.till()
    for name in (f"{other.name}/earnRules/1", f"{other.name}/earnRules/current", f"{till.name}/earnRules/9"):
        refusal = till.refused(till.rules.GetEarnRules, pb.GetEarnRulesRequest(name=name))
        assert (refusal.kind, refusal.reason) == (Kind.NOT_THERE, "EARN_RULES_NOT_FOUND")
    listed = till.refused(till.rules.ListEarnRules, pb.ListEarnRulesRequest(parent=other.name))
    assert listed.reason == "EARN_RULES_NOT_FOUND"
    assert till.refused(till.rules.PublishEarnRules, publication(till.id, base())).kind is Kind.NOT_ALLOWED


def test_a_publication_by_another_process_is_seen_within_the_setting(house: House, till: Till) -> None:
    """Written past the service, as another process would have done."""
    till.record(till.purchase(1000))
    with house.as_administrator() as connection:
        connection.execute(
            "INSERT INTO catalogue.earn_rules SELECT partner, 2, effective_from + interval '1 minute', currency, "
            "replace(rules::text, '1000000000', '3000000000')::jsonb, gen_random_uuid(), request_hash, created_at "
            "FROM catalogue.earn_rules WHERE partner = %s",
            [till.id],
        )
    time.sleep(1.2)
    asked = till.purchase(1000)
    asked.receipt.occurred_at.FromDatetime(BEGINNING + timedelta(minutes=1))
    assert till.record(asked).points == 30
