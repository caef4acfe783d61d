"""A partner does not pay: what is missing runs down the order of its contract, to the last minor unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.settlement.domain.legs import OPERATOR
from services.settlement.domain.terms import Cover
from shared.money import largest_remainder

COLLATERAL, GUARANTEE = "@collateral", "@guarantee"
"""Accounts of the operator's that hold what a partner deposited or somebody vouched for; no partner has such a name."""
DEFAULT = "@default"
"""What covers brought in and the defaulter still owes."""
ACCOUNTS = {Cover.COLLATERAL: COLLATERAL, Cover.GUARANTEE: GUARANTEE, Cover.OPERATOR: OPERATOR}


class Share(NamedTuple):
    """What one bears."""

    cover: Cover
    bearer: str
    minor: int


def waterfall(
    unpaid: int,
    order: Sequence[Cover],
    covers: Mapping[Cover, int],
    billed: Mapping[str, int],
    waiting: Mapping[str, int],
) -> list[Share]:
    """Who bears `unpaid` minor units.

    `covers` is what collateral, guarantee and the operator's first loss hold. Survivors share by what they are
    `billed`, nobody more than what it is `waiting` for; who was not billed comes after them, by what it waits for. What
    then is left is the operator's.
    """
    left, shares = unpaid, list[Share]()
    for cover in order:
        if cover is Cover.SURVIVORS:
            found = _survivors(left, billed, waiting)
            shares += [Share(cover, name, minor) for name, minor in sorted(found.items()) if minor]
            left -= sum(found.values())
        elif taken := min(left, covers.get(cover, 0)):
            shares.append(Share(cover, ACCOUNTS[cover], taken))
            left -= taken
    if left:
        shares.append(Share(Cover.OPERATOR, OPERATOR, left))
    return shares


def _survivors(total: int, billed: Mapping[str, int], waiting: Mapping[str, int]) -> dict[str, int]:
    """By billing first; what those cannot bear, among the others by what they wait for."""
    first = {name: billed.get(name, 0) for name in waiting}
    shares = _within(min(total, sum(minor for name, minor in waiting.items() if first[name])), first, waiting)
    rest = min(total, sum(waiting.values())) - sum(shares.values())
    others = {name: minor for name, minor in waiting.items() if not first[name]}
    return {**shares, **_within(rest, others, waiting)}


def _within(total: int, weights: Mapping[str, int], most: Mapping[str, int]) -> dict[str, int]:
    weighed = {name: weight for name, weight in weights.items() if weight}
    return largest_remainder(total, weighed, {name: most[name] for name in weighed}) if weighed else {}
