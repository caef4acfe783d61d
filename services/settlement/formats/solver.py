"""The largest set-off around cycles, found by a min-cost flow (OR-Tools) in whole minor units.

Every debt is an arc that may carry as much as is owed and earns one for each unit it carries; nobody gains or loses a
unit. The cheapest flow of nothing is then the largest set-off. `domain.netting.check` verifies what comes out.
"""

from __future__ import annotations

from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from services.settlement.domain.netting import Pair, Pairs

_MOST = 2**62
"""Costs are summed in 64 bits: far beyond any batch, and far enough from the edge."""


class NotSolved(RuntimeError):
    """The solver gave up, or the debts are beyond its numbers: a bug, never a partner's fault."""


def largest_set_off(pairs: Pairs) -> dict[Pair, int]:
    """The set-off of greatest value, by pair, pairs without one left out."""
    if sum(pairs.values()) > _MOST:
        raise NotSolved("the debts are beyond what the solver adds up")
    flow = SimpleMinCostFlow()
    names = {name: number for number, name in enumerate(sorted({name for pair in pairs for name in pair}))}
    arcs = [
        (pair, flow.add_arc_with_capacity_and_unit_cost(names[pair.debtor], names[pair.creditor], minor, -1))
        for pair, minor in sorted(pairs.items())
    ]
    if (status := flow.solve()) != flow.OPTIMAL:
        raise NotSolved(f"the solver answers {status}")
    return {pair: int(flow.flow(arc)) for pair, arc in arcs if flow.flow(arc)}
