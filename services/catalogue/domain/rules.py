"""Earn rules: a condition and an effect each, published together as one version that is in force for an interval."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.catalogue.domain.refusals import RuleInvalid
from shared.money import Rate

ONCE = 10**9
"""The multiplier 1, in billionths."""
OPERATOR = "operator"
"""The operator pays under this id; it is no partner of identity's."""
MOST_PAYERS = 16
"""An award of the ledger has one line for each payer, and at most so many."""

_PAYER = re.compile(r"[a-z][a-z0-9-]{1,62}")


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule applies. An empty part asks for nothing; all that is given must hold."""

    categories: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    min_amount: int = 0
    """The eligible amount of the rule must reach this, in minor units; 0 asks for nothing."""

    def texts(self) -> Iterator[str]:
        """All that somebody wrote."""
        yield from self.categories
        yield from self.segments
        yield from self.stores


@dataclass(frozen=True, slots=True)
class PointsPerUnit:
    """So many points per major unit of the eligible amount."""

    rate: Rate


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Multiplies what the `PointsPerUnit` rules gave for its lines; the difference is this rule's."""

    times: Rate


@dataclass(frozen=True, slots=True)
class Bonus:
    """So many whole points, once."""

    points: int


@dataclass(frozen=True, slots=True)
class Exclude:
    """Its lines earn nothing, under any rule."""


Effect = PointsPerUnit | Multiplier | Bonus | Exclude


@dataclass(frozen=True, slots=True)
class EarnRule:
    """One rule. An empty payer means the partner itself."""

    rule_id: str
    condition: Condition
    effect: Effect
    payer: str = ""

    def refused(self) -> RuleInvalid | None:
        """Why this cannot be a rule, if it cannot."""
        if isinstance(self.effect, Multiplier) and self.effect.times.billionths < ONCE:
            return RuleInvalid(rule_id=self.rule_id, problem="a multiplier is at least 1")
        if self.condition.min_amount < 0:
            return RuleInvalid(rule_id=self.rule_id, problem="a minimum amount is not negative")
        if isinstance(self.effect, Exclude) and self.condition.min_amount:
            # The purchase would be worth more after a return: what remains must never earn more than the whole.
            return RuleInvalid(rule_id=self.rule_id, problem="an exclusion has no minimum amount")
        if self.payer and not _PAYER.fullmatch(self.payer):
            return RuleInvalid(rule_id=self.rule_id, problem="the payer is no partner id")
        if any("\0" in text for text in self.condition.texts()):
            return RuleInvalid(rule_id=self.rule_id, problem="a text holds the character U+0000")
        return None


@dataclass(frozen=True, slots=True)
class EarnRules:
    """One version of a partner's rules, in force in `[effective_from, effective_until)`."""

    partner: str
    version: int
    effective_from: datetime
    effective_until: datetime | None
    currency: str
    rules: tuple[EarnRule, ...]
    created_at: datetime

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"partners/{self.partner}/earnRules/{self.version}"

    def payer_of(self, rule: EarnRule) -> str:
        """Who pays for what a rule gives."""
        return rule.payer or self.partner

    def foreign_payers(self) -> dict[str, str]:
        """Who pays beside the partner itself, each with the first rule that says so."""
        payers: dict[str, str] = {}
        for rule in self.rules:
            if self.payer_of(rule) != self.partner:
                payers.setdefault(rule.payer, rule.rule_id)
        return payers


def in_force(versions: Sequence[EarnRules], instant: datetime) -> EarnRules | None:
    """The version, of all versions of one partner in their order, that is in force at an instant."""
    begun = (rules for rules in reversed(versions) if rules.effective_from <= instant)
    return next(begun, None)


def refused(partner: str, rules: Sequence[EarnRule]) -> RuleInvalid | None:
    """Why these cannot be published together, if they cannot."""
    seen: set[str] = set()
    for rule in rules:
        problem = rule.refused()
        if problem:
            return problem
        if rule.rule_id in seen:
            return RuleInvalid(rule_id=rule.rule_id, problem="its id stands more than once")
        seen.add(rule.rule_id)
    payers = {rule.payer or partner for rule in rules if not isinstance(rule.effect, Exclude)}
    if len(payers) > MOST_PAYERS:
        return RuleInvalid(rule_id=rules[-1].rule_id, problem=f"at most {MOST_PAYERS} payers share a purchase")
    return None
