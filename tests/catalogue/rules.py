"""Rules and receipts in few words, for the tests of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from services.catalogue.domain.rating import Rating, rate
from services.catalogue.domain.receipt import Line, Receipt
from services.catalogue.domain.rules import Condition, EarnRule, EarnRules, Effect, Multiplier, PointsPerUnit
from shared.money import Rate

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rule(rule_id: str, effect: Effect, payer: str = "", condition: Condition | None = None) -> EarnRule:
    return EarnRule(rule_id, condition or Condition(), effect, payer)


def points(rate_text: str, payer: str = "", rule_id: str = "base", condition: Condition | None = None) -> EarnRule:
    return rule(rule_id, PointsPerUnit(Rate.of(rate_text)), payer, condition)


def times(factor: str, payer: str = "", rule_id: str = "gold", condition: Condition | None = None) -> EarnRule:
    return rule(rule_id, Multiplier(Rate.of(factor)), payer, condition)


def version(*rules: EarnRule, partner: str = "grocer", currency: str = "EUR") -> EarnRules:
    return EarnRules(partner, 1, BEGINNING, None, currency, rules, BEGINNING)


def lines(*amounts: int | tuple[str, int]) -> tuple[Line, ...]:
    """Lines 1, 2, 3 ... of so many minor units each, in a category where one is named."""
    named = [amount if isinstance(amount, tuple) else ("", amount) for amount in amounts]
    return tuple(Line(number, "", category, amount) for number, (category, amount) in enumerate(named, start=1))


def rated(sold: Sequence[Line], rules: EarnRules, *segments: str, store: str = "1") -> Rating:
    rating = rate(sold, store, frozenset(segments), rules)
    assert isinstance(rating, Rating)
    return rating


def receipt(*amounts: int | tuple[str, int], receipt_no: str = "1") -> Receipt:
    return Receipt("1", "1", date(2026, 3, 1), receipt_no, BEGINNING, lines(*amounts))
