"""Messages into nouns of the domain, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from coalition.catalogue.v1 import catalogue_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.catalogue.domain.explaining import explanation
from services.catalogue.domain.purchase import Entry, Purchase, Refund, Standing
from services.catalogue.domain.rating import Rating
from services.catalogue.domain.receipt import Line, Receipt
from services.catalogue.domain.refusals import OccurredInFuture, PurchaseNotFound, RuleInvalid
from services.catalogue.domain.returns import Returned
from services.catalogue.domain.rules import (
    Bonus,
    Condition,
    EarnRule,
    EarnRules,
    Effect,
    Exclude,
    Multiplier,
    PointsPerUnit,
)
from shared.money import NotARate, Rate, exponent_of
from shared.money.currency import UnknownCurrency
from shared.refusal import Refusal
from shared.rpc.invalid import FieldViolation, InvalidRequest
from shared.rpc.wire import day, decimal_of, decimal_pb, instant, minor_of, money_pb, timestamp

_SKEW = timedelta(minutes=10)
_STATES = {Standing.RATED: pb.PURCHASE_STATE_RATED, Standing.POSTED: pb.PURCHASE_STATE_POSTED}


def given_instant(message: pb.Receipt | pb.RefundPurchaseRequest, now: datetime) -> datetime | None:
    """`occurred_at` where the caller gave one. A till's clock may be a little ahead of ours, as it may for the ledger.

    The ledger would refuse what lies further ahead only after we had kept it, and a purchase without points never.
    """
    if not message.HasField("occurred_at"):
        return None
    field = "receipt.occurred_at" if isinstance(message, pb.Receipt) else "occurred_at"
    given = instant(message.occurred_at, field)
    if given > now + _SKEW:
        raise OccurredInFuture(field=field, occurred_at=given.isoformat(), now=now.isoformat())
    return given


def receipt_of(message: pb.Receipt, occurred_at: datetime, currency: str) -> Receipt:
    """The receipt, its amounts in minor units of `currency`."""
    return Receipt(
        store=message.store,
        terminal=message.terminal,
        business_date=day(message.business_date, "receipt.business_date"),
        receipt_no=message.receipt_no,
        occurred_at=occurred_at,
        lines=tuple(
            Line(line.line_no, line.product, line.category, minor_of(line.amount, currency, "receipt.lines.amount"))
            for line in message.lines
        ),
    )


def returns_of(message: pb.RefundPurchaseRequest, currency: str) -> tuple[Returned, ...]:
    """What comes back."""
    return tuple(
        Returned(line.line_no, minor_of(line.amount, currency, "lines.amount") if line.HasField("amount") else None)
        for line in message.lines
    )


def purchase_named(name: str) -> tuple[str, UUID]:
    """Partner and id in `partners/{partner}/purchases/{purchase}`."""
    _, partner, _, text = name.split("/")
    try:
        return partner, UUID(text)
    except ValueError:
        raise PurchaseNotFound(purchase=name) from None


def partner_named(parent: str) -> str:
    """The partner in `partners/{partner}`."""
    return parent.split("/")[1]


def purchase_pb(purchase: Purchase) -> pb.Purchase:
    """A purchase as its partner sees it."""
    return pb.Purchase(
        name=purchase.name,
        state=_STATES[purchase.standing],
        points=purchase.points,
        attributions=_attributions(purchase.parts),
        entry=entry_name(purchase.partner, purchase.entry),
        clawed_back_points=purchase.clawed_back,
        earn_rules=f"partners/{purchase.partner}/earnRules/{purchase.rules_version}",
        request_id=str(purchase.request_id),
        occurred_at=timestamp(purchase.receipt.occurred_at),
        create_time=timestamp(purchase.created_at),
    )


def refund_pb(refund: Refund) -> pb.Refund:
    """A refund as its partner sees it."""
    return pb.Refund(
        name=refund.name,
        clawed_back_points=refund.points,
        recovered_points=refund.recovered,
        written_off_points=refund.written_off,
        remaining_points=refund.remaining,
        entry=entry_name(refund.partner, refund.entry),
        request_id=str(refund.request_id),
        occurred_at=timestamp(refund.occurred_at),
    )


def rating_pb(rating: Rating, rules: EarnRules) -> pb.RatePurchaseResponse:
    """A rating with its trace."""
    return pb.RatePurchaseResponse(
        points=rating.points,
        exact_points=decimal_pb(rating.exact_points),
        attributions=_attributions(rating.parts),
        trace=[
            pb.RuleTrace(
                rule_id=gain.rule.rule_id,
                points=decimal_pb(rating.exact(gain)),
                eligible_amount=money_pb(gain.eligible_amount, rules.currency),
                explanation=explanation(gain, rating, rules),
                payer=rules.payer_of(gain.rule),
            )
            for gain in rating.gains
        ],
        earn_rules=rules.name,
    )


def entry_name(partner: str, entry: Entry | None) -> str:
    """The resource name of a ledger entry; empty where there is none."""
    return f"partners/{partner}/entries/{entry.bucket}-{entry.seq}" if entry else ""


def _attributions(parts: Mapping[str, int]) -> list[pb.Attribution]:
    return [pb.Attribution(payer=payer, points=points) for payer, points in sorted(parts.items())]


def draft_of(partner: str, message: pb.EarnRules, at: datetime) -> EarnRules:
    """The version to publish; its number is decided when it is written."""
    try:
        exponent_of(message.currency)
    except UnknownCurrency as error:
        raise InvalidRequest([FieldViolation("earn_rules.currency", str(error))]) from None
    return EarnRules(
        partner=partner,
        version=0,
        effective_from=instant(message.effective_from, "earn_rules.effective_from"),
        effective_until=None,
        currency=message.currency,
        rules=tuple(_rule_of(rule, message.currency) for rule in message.rules),
        created_at=at,
    )


def _rule_of(message: pb.EarnRule, currency: str) -> EarnRule:
    asked = message.condition
    try:
        least = minor_of(asked.min_amount, currency) if asked.HasField("min_amount") else 0
        condition = Condition(
            categories=frozenset(asked.categories),
            segments=frozenset(asked.segments),
            stores=frozenset(asked.stores),
            min_amount=least,
        )
        return EarnRule(message.rule_id, condition, _effect_of(message), message.payer)
    except (Refusal, NotARate) as error:
        raise RuleInvalid(rule_id=message.rule_id, problem=str(error).rstrip(".")) from None


def _effect_of(message: pb.EarnRule) -> Effect:
    match message.WhichOneof("effect"):
        case "points_per_unit":
            return PointsPerUnit(Rate.of(decimal_of(message.points_per_unit)))
        case "multiplier":
            return Multiplier(Rate.of(decimal_of(message.multiplier)))
        case "bonus_points":
            return Bonus(message.bonus_points)
        case _:  # the contract requires one of the four
            return Exclude()


def rules_pb(rules: EarnRules) -> pb.EarnRules:
    """A version of rules."""
    return pb.EarnRules(
        name=rules.name,
        effective_from=timestamp(rules.effective_from),
        effective_until=_optional(rules.effective_until),
        currency=rules.currency,
        rules=[_rule_pb(rule, rules.currency) for rule in rules.rules],
        create_time=timestamp(rules.created_at),
    )


def _rule_pb(rule: EarnRule, currency: str) -> pb.EarnRule:
    asked = rule.condition
    message = pb.EarnRule(rule_id=rule.rule_id, payer=rule.payer)
    if asked != Condition():
        message.condition.categories.extend(sorted(asked.categories))
        message.condition.segments.extend(sorted(asked.segments))
        message.condition.stores.extend(sorted(asked.stores))
        if asked.min_amount:
            message.condition.min_amount.CopyFrom(money_pb(asked.min_amount, currency))
    match rule.effect:
        case PointsPerUnit(rate):
            message.points_per_unit.CopyFrom(decimal_pb(rate.value))
        case Multiplier(times):
            message.multiplier.CopyFrom(decimal_pb(times.value))
        case Bonus(points):
            message.bonus_points = points
        case Exclude():
            message.exclude = True
    return message


def _optional(at: datetime | None) -> Timestamp | None:
    return timestamp(at) if at else None
