"""The pair matrix of one currency: what each participant owes each other one, in minor units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias


class Pair(NamedTuple):
    """One direction between two participants."""

    debtor: str
    creditor: str

    @property
    def turned(self) -> Pair:
        """The same two, the other way round."""
        return Pair(self.creditor, self.debtor)


Pairs: TypeAlias = Mapping[Pair, int]
"""Positive minor units by pair; a pair that owes nothing has no row, and nobody owes itself."""


def pairs_of(dues: Iterable[tuple[str, str, int]]) -> dict[Pair, int]:
    """The matrix of what is due, as (debtor, creditor, minor), in pair order.

    What is given back (negative) is owed the other way round. Both directions of a pair are kept: setting them off
    against each other is a model's business. A partner that accepts its own points owes itself nothing (S5).
    """
    sums: defaultdict[Pair, int] = defaultdict(int)
    for debtor, creditor, minor in dues:
        sums[Pair(debtor, creditor)] += minor
    found: defaultdict[Pair, int] = defaultdict(int)
    for pair, minor in sums.items():
        if minor and pair.debtor != pair.creditor:
            found[pair if minor > 0 else pair.turned] += abs(minor)
    return dict(sorted(found.items()))


def gross(pairs: Pairs) -> int:
    """What would move without any netting."""
    return sum(pairs.values())


def nets(pairs: Pairs) -> dict[str, int]:
    """What each participant gets (+) or pays (-), by name. They add up to zero."""
    found: defaultdict[str, int] = defaultdict(int)
    for pair, minor in pairs.items():
        found[pair.debtor] -= minor
        found[pair.creditor] += minor
    return dict(sorted(found.items()))
