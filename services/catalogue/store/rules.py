"""Versions of earn rules: written once; a version ends where the next one begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

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
from services.catalogue.store.tables import EARN_RULES
from shared.money import Rate

Json = dict[str, Any]  # what a jsonb column holds


@dataclass(frozen=True, slots=True)
class Published:
    """A version with the request that made it."""

    rules: EarnRules
    request_hash: bytes


_UNTIL = (
    func.lead(EARN_RULES.c.effective_from)
    .over(partition_by=EARN_RULES.c.partner, order_by=EARN_RULES.c.version)
    .label("effective_until")
)
_OF_PARTNER = select(EARN_RULES, _UNTIL).where(EARN_RULES.c.partner == bindparam("partner"))
_IN_ORDER = _OF_PARTNER.order_by(EARN_RULES.c.version)


def versions(connection: Connection, partner: str) -> list[EarnRules]:
    """All versions of a partner's rules, oldest first."""
    return [_rules(row) for row in connection.execute(_IN_ORDER, {"partner": partner})]


def versions_after(connection: Connection, partner: str, version: int, count: int) -> list[EarnRules]:
    """The next `count` versions after one, oldest first."""
    every = _OF_PARTNER.subquery()
    page: Select[Any] = select(every).where(every.c.version > version).order_by(every.c.version).limit(count)
    return [_rules(row) for row in connection.execute(page, {"partner": partner})]


def published_by(connection: Connection, partner: str, request_id: UUID) -> Published | None:
    """The version that a request made, if it made one."""
    every = _OF_PARTNER.subquery()
    row = connection.execute(select(every).where(every.c.request_id == request_id), {"partner": partner}).one_or_none()
    return Published(_rules(row), row.request_hash) if row else None


def newest(connection: Connection, partner: str) -> EarnRules | None:
    """The version that will be in force when all others are over."""
    last = _OF_PARTNER.order_by(EARN_RULES.c.version.desc()).limit(1)
    row = connection.execute(last, {"partner": partner}).one_or_none()
    return _rules(row) if row else None


def add(connection: Connection, rules: EarnRules, request_id: UUID, request_hash: bytes) -> bool:
    """Write one version; False when somebody else took its number or made it meanwhile."""
    values = {
        "partner": rules.partner,
        "version": rules.version,
        "effective_from": rules.effective_from,
        "currency": rules.currency,
        "rules": [_json(rule) for rule in rules.rules],
        "request_id": request_id,
        "request_hash": request_hash,
        "created_at": rules.created_at,
    }
    written = insert(EARN_RULES).values(values).on_conflict_do_nothing().returning(EARN_RULES.c.version)
    return connection.execute(written).one_or_none() is not None


def _rules(row: Row[Any]) -> EarnRules:
    return EarnRules(
        partner=row.partner,
        version=row.version,
        effective_from=row.effective_from,
        effective_until=row.effective_until,
        currency=row.currency,
        rules=tuple(_rule(rule) for rule in row.rules),
        created_at=row.created_at,
    )


def _json(rule: EarnRule) -> Json:
    return {
        "rule_id": rule.rule_id,
        "categories": sorted(rule.condition.categories),
        "segments": sorted(rule.condition.segments),
        "stores": sorted(rule.condition.stores),
        "min_amount": rule.condition.min_amount,
        "effect": _effect_json(rule.effect),
        "payer": rule.payer,
    }


def _effect_json(effect: Effect) -> Json:
    """Rates as whole billionths: a JSON number with a point is a float to half of the world."""
    match effect:
        case PointsPerUnit(rate):
            return {"points_per_unit": rate.billionths}
        case Multiplier(times):
            return {"multiplier": times.billionths}
        case Bonus(points):
            return {"bonus_points": points}
        case Exclude():
            return {"exclude": 1}


def _rule(kept: Json) -> EarnRule:
    condition = Condition(
        categories=frozenset(kept["categories"]),
        segments=frozenset(kept["segments"]),
        stores=frozenset(kept["stores"]),
        min_amount=kept["min_amount"],
    )
    return EarnRule(kept["rule_id"], condition, _effect(kept["effect"]), kept["payer"])


def _effect(kept: Json) -> Effect:
    match kept:
        case {"points_per_unit": int(billionths)}:
            return PointsPerUnit(Rate(billionths))
        case {"multiplier": int(billionths)}:
            return Multiplier(Rate(billionths))
        case {"bonus_points": int(points)}:
            return Bonus(points)
        case {"exclude": 1}:
            return Exclude()
        case _:
            raise ValueError(f"no effect is written {kept!r}")
