"""What a request means, as a hash: the same id with the same meaning is a repeat, with another one a mistake.

Not the bytes on the wire, which are not canonical, and not the grant, of which a repeat may carry a fresh one: the
wallet it names. An instant that the caller left empty means "now" and stays empty here, or no repeat would match.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.catalogue.domain.receipt import Receipt
from services.catalogue.domain.returns import Returned
from services.catalogue.domain.rules import Bonus, EarnRule, EarnRules, Exclude, Multiplier, PointsPerUnit
from shared.canonical import Canonical, canonical


def meaning_of_purchase(partner: str, wallet: UUID, receipt: Receipt, occurred_at: datetime | None) -> bytes:
    """The hash of RecordPurchase. The receipt's amounts are in minor units of its rules' currency."""
    return _hashed(
        [
            "RecordPurchase",
            partner,
            wallet.hex,
            receipt.store,
            receipt.terminal,
            receipt.business_date.isoformat(),
            receipt.receipt_no,
            _instant(occurred_at),
            [[line.line_no, line.product, line.category, line.amount] for line in receipt.lines],
        ]
    )


def meaning_of_refund(partner: str, purchase: UUID, returns: Sequence[Returned], occurred_at: datetime | None) -> bytes:
    """The hash of RefundPurchase."""
    lines = [[back.line_no, "" if back.amount is None else back.amount] for back in returns]
    return _hashed(["RefundPurchase", partner, purchase.hex, _instant(occurred_at), lines])


def meaning_of_rules(draft: EarnRules) -> bytes:
    """The hash of PublishEarnRules."""
    rules: list[Canonical] = [_rule(rule) for rule in draft.rules]
    return _hashed(["PublishEarnRules", draft.partner, _instant(draft.effective_from), draft.currency, rules])


def _rule(rule: EarnRule) -> Canonical:
    asked = rule.condition
    return [
        rule.rule_id,
        sorted(asked.categories),
        sorted(asked.segments),
        sorted(asked.stores),
        asked.min_amount,
        _effect(rule),
        rule.payer,
    ]


def _effect(rule: EarnRule) -> Canonical:
    match rule.effect:
        case PointsPerUnit(rate):
            return ["points_per_unit", rate.billionths]
        case Multiplier(times):
            return ["multiplier", times.billionths]
        case Bonus(points):
            return ["bonus_points", points]
        case Exclude():
            return ["exclude"]


def _instant(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _hashed(meaning: Canonical) -> bytes:
    return hashlib.sha256(canonical(meaning)).digest()
