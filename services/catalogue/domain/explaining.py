"""What each rule did, or why it did nothing, as one sentence a cashier understands."""

from __future__ import annotations

from collections.abc import Iterable

from services.catalogue.domain.rating import Gain, Rating, Unmet
from services.catalogue.domain.rules import Bonus, Condition, EarnRules, Exclude, Multiplier, PointsPerUnit
from shared.money import decimal_text, exponent_of, major

_NAMED = 3


def explanation(gain: Gain, rating: Rating, rules: EarnRules) -> str:
    """The sentence for one rule of a rating."""
    amount = amount_text(gain.eligible_amount, rules.currency)
    if gain.unmet:
        return _refused(gain.unmet, gain.rule.condition, amount, rules.currency)
    given = decimal_text(rating.exact(gain))
    match gain.rule.effect:
        case PointsPerUnit(rate):
            return f"{rate} points per {rules.currency} on {amount} give {given}."
        case Multiplier(times):
            return f"{times} times the points of {amount} give {given} more."
        case Bonus(points):
            return f"A bonus of {points} points, once, for {amount}."
        case Exclude():
            return f"Lines of {amount} earn nothing."


def amount_text(minor: int, currency: str) -> str:
    """An amount as people write it: 19.99 EUR."""
    return f"{major(minor, exponent_of(currency)):f} {currency}"


def _refused(unmet: Unmet, condition: Condition, amount: str, currency: str) -> str:
    match unmet:
        case Unmet.STORE:
            return f"The store is not {_one_of(condition.stores)}."
        case Unmet.SEGMENT:
            return f"The member is not in segment {_one_of(condition.segments)}."
        case Unmet.LINES if condition.categories:
            return f"Nothing was paid for in category {_one_of(condition.categories)}."
        case Unmet.LINES:
            return "Nothing was paid for."
        case Unmet.EXCLUDED:
            return "All of its lines are excluded by another rule."
        case Unmet.AMOUNT:
            return f"{amount} are less than the {amount_text(condition.min_amount, currency)} it asks for."


def _one_of(names: Iterable[str]) -> str:
    ordered = sorted(names)
    named = ordered[:_NAMED]
    rest = len(ordered) - len(named)
    if rest:
        return f"{', '.join(named)} or one of {rest} more"
    return " or ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
