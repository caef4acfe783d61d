"""Purchases of a story: the rules of its partner, receipts, and goods that come back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from coalition.catalogue.v1 import catalogue_pb2 as catalogue

from shared.rpc.wire import date_pb, decimal_pb, money_pb, timestamp
from tests.journeys.story import SECONDS, Story, fresh_id, yesterday


def publish(story: Story, currency: str, rules: Sequence[catalogue.EarnRule]) -> None:
    """Put rules in force for the partner."""
    version = catalogue.EarnRules(effective_from=timestamp(yesterday(story.platform)), currency=currency, rules=rules)
    request = catalogue.PublishEarnRulesRequest(
        parent=story.partners["A"].name, request_id=fresh_id(), earn_rules=version
    )
    story.platform.operator.earn_rules.PublishEarnRules(request, timeout=SECONDS)


def per_unit(
    rule_id: str, points: str, condition: catalogue.EarnCondition | None = None, payer: str = ""
) -> catalogue.EarnRule:
    """A rule that gives so many points per major unit."""
    rate = decimal_pb(Decimal(points))
    return catalogue.EarnRule(rule_id=rule_id, points_per_unit=rate, condition=condition, payer=payer)


def receipt(story: Story, currency: str, amounts: Sequence[int]) -> catalogue.Receipt:
    """A receipt that nobody has sent, with a line for each amount."""
    return catalogue.Receipt(
        store="S1",
        terminal="T1",
        business_date=date_pb(story.platform.clock.now().date()),
        receipt_no=fresh_id(),
        lines=[
            catalogue.PurchaseLine(line_no=number, amount=money_pb(minor, currency))
            for number, minor in enumerate(amounts, start=1)
        ],
    )


def record_request(story: Story, receipt: catalogue.Receipt) -> catalogue.RecordPurchaseRequest:
    """What a till sends when the member has paid."""
    grant = story.platform.grant(story.partners["A"], story.anna)
    return catalogue.RecordPurchaseRequest(request_id=fresh_id(), grant=grant, receipt=receipt)


def record(story: Story, receipt: catalogue.Receipt) -> catalogue.Purchase:
    """The member pays, the till records it."""
    request = record_request(story, receipt)
    return story.partners["A"].calls.purchases.RecordPurchase(request, timeout=SECONDS)


def give_back(story: Story, purchase: catalogue.Purchase, line: int) -> catalogue.Refund:
    """A line of a purchase comes back."""
    request = catalogue.RefundPurchaseRequest(
        request_id=fresh_id(), name=purchase.name, lines=[catalogue.ReturnedLine(line_no=line)]
    )
    return story.partners["A"].calls.purchases.RefundPurchase(request, timeout=SECONDS)
