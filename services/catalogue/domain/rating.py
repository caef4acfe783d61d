"""Rating: what a receipt earns under a version of rules.

Everything is multiplied and added exactly, as whole numbers of a unit so small that nothing is ever cut off. The total
is floored once, then its whole points are attributed to who pays for them by largest remainder. So a further rule that
gives something never takes a point away, and the order of the rules changes no result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from services.catalogue.domain.receipt import Line
from services.catalogue.domain.refusals import PurchaseInvalid
from services.catalogue.domain.rules import (
    ONCE,
    Bonus,
    Condition,
    EarnRule,
    EarnRules,
    Exclude,
    Multiplier,
    PointsPerUnit,
)
from shared.money import MOST_POINTS, exponent_of, largest_remainder, major

_PLACES = 18
"""A rate has nine places and a multiplier nine more; the places of the currency come on top."""


class Unmet(Enum):
    """The first part of a condition that did not hold."""

    STORE = "store"
    SEGMENT = "segment"
    LINES = "lines"
    EXCLUDED = "excluded"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Gain:
    """What one rule gave: `units` of the rating's smallest part of a point."""

    rule: EarnRule
    eligible_amount: int
    units: int
    unmet: Unmet | None


@dataclass(frozen=True, slots=True)
class Rating:
    """What a receipt earns. `parts` adds up to `points`; a payer of nothing is not named."""

    points: int
    parts: Mapping[str, int]
    gains: tuple[Gain, ...]
    units: int
    places: int

    @property
    def exact_points(self) -> Decimal:
        """Points before the floor."""
        return major(self.units, self.places)

    def exact(self, gain: Gain) -> Decimal:
        """What one rule gave before the floor."""
        return major(gain.units, self.places)


def rate(lines: Sequence[Line], store: str, segments: frozenset[str], rules: EarnRules) -> Rating | PurchaseInvalid:
    """What these lines, sold in that store to a member of those segments, earn under the rules."""
    bench = _Bench(lines, store, segments, exponent_of(rules.currency), rules.rules)
    base = [0] * len(lines)
    for rule, (about, _, unmet) in zip(rules.rules, bench.standings, strict=True):
        if isinstance(rule.effect, PointsPerUnit) and unmet is None:
            for index in about:
                base[index] += lines[index].amount * rule.effect.rate.billionths
    gains = tuple(bench.gain(rule, standing, base) for rule, standing in zip(rules.rules, bench.standings, strict=True))
    units = sum(gain.units for gain in gains)
    points = units // 10**bench.places
    if points > MOST_POINTS:
        return PurchaseInvalid(field="receipt.lines", problem="it would earn more points than a wallet can hold")
    weights: dict[str, int] = {}
    for gain in gains:
        if gain.units:
            payer = rules.payer_of(gain.rule)
            weights[payer] = weights.get(payer, 0) + gain.units
    return Rating(points, _named(largest_remainder(points, weights)), gains, units, bench.places)


def attributed(points: int, rating: Rating, rules: EarnRules, had: Mapping[str, int]) -> dict[str, int]:
    """Whole points of what remains, attributed to payers none of whom bears more than `had`, what it bore before.

    Where those who still pay for something are full, the rest stays with the others in proportion to what they had.
    """
    weights: dict[str, int] = {}
    for gain in rating.gains:
        payer = rules.payer_of(gain.rule)
        if gain.units and had.get(payer):
            weights[payer] = weights.get(payer, 0) + gain.units
    room = sum(had[payer] for payer in weights)
    parts = largest_remainder(min(points, room), weights, had)
    if points > room:
        others = {payer: most for payer, most in had.items() if payer not in weights}
        parts |= largest_remainder(points - room, others, others)
    return _named(parts)


def _named(parts: Mapping[str, int]) -> dict[str, int]:
    return {payer: parts[payer] for payer in sorted(parts) if parts[payer]}


_Standing = tuple[tuple[int, ...], int, Unmet | None]
"""Which lines a rule is about, what they amount to, and what does not hold."""


class _Bench:
    """One receipt under work."""

    def __init__(
        self, lines: Sequence[Line], store: str, segments: frozenset[str], exponent: int, rules: Sequence[EarnRule]
    ) -> None:
        self.lines = lines
        self.store = store
        self.segments = segments
        self.places = _PLACES + exponent
        outside = {rule.rule_id: self._excluded(rule.condition) for rule in rules if isinstance(rule.effect, Exclude)}
        self.excluded = {index for about, _, _ in outside.values() for index in about}
        self.standings = [outside.get(rule.rule_id) or self._earning(rule.condition) for rule in rules]

    def gain(self, rule: EarnRule, standing: _Standing, base: Sequence[int]) -> Gain:
        """What one rule gives, once it is known what each line earns by its amount."""
        about, amount, unmet = standing
        if unmet:
            return Gain(rule, amount, 0, unmet)
        match rule.effect:
            case PointsPerUnit(rate):
                return Gain(rule, amount, amount * rate.billionths * ONCE, None)
            case Multiplier(times):
                return Gain(rule, amount, sum(base[index] for index in about) * (times.billionths - ONCE), None)
            case Bonus(points):
                return Gain(rule, amount, points * 10**self.places, None)
            case Exclude():
                return Gain(rule, amount, 0, None)

    def _excluded(self, condition: Condition) -> _Standing:
        unmet = self._elsewhere(condition)
        about = () if unmet else self._about(condition)
        return about, self._amount(about), unmet if unmet or about else Unmet.LINES

    def _earning(self, condition: Condition) -> _Standing:
        unmet = self._elsewhere(condition)
        if unmet:
            return (), 0, unmet
        named = self._about(condition)
        about = tuple(index for index in named if index not in self.excluded) if self.excluded else named
        amount = self._amount(about)
        if amount == 0:
            # Nothing was paid for: a bonus for nothing would survive the return of everything.
            return about, 0, Unmet.EXCLUDED if named and not about else Unmet.LINES
        return about, amount, Unmet.AMOUNT if amount < condition.min_amount else None

    def _elsewhere(self, condition: Condition) -> Unmet | None:
        if condition.stores and self.store not in condition.stores:
            return Unmet.STORE
        if condition.segments and self.segments.isdisjoint(condition.segments):
            return Unmet.SEGMENT
        return None

    def _about(self, condition: Condition) -> tuple[int, ...]:
        if not condition.categories:
            return tuple(range(len(self.lines)))
        return tuple(index for index, line in enumerate(self.lines) if line.category in condition.categories)

    def _amount(self, about: Sequence[int]) -> int:
        return sum(self.lines[index].amount for index in about)
