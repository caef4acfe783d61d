"""Setting off around cycles: a part of each debt that cancels, so that no participant's net changes.

Finding the largest one is a min-cost flow and a solver's work (`formats.solver`). It is unique in value, not in form:
the one that was chosen is stored, and whoever replays verifies it here, without a solver.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from services.settlement.domain.netting.pairs import Pair, Pairs

SetOff: TypeAlias = Mapping[Pair, int]
"""Minor units set off, by pair; a pair of which nothing is set off has no row."""


class SetOffRefuted(ValueError):
    """The set-off is not one of these pairs, changes a net, or is not the largest."""


def value(set_off: SetOff) -> int:
    """What need not move because of it, in minor units."""
    return sum(set_off.values())


def check(pairs: Pairs, set_off: SetOff, recorded: int) -> None:
    """Raises SetOffRefuted unless it stays inside each debt, keeps each net, is worth what was recorded, and is the
    largest there is.
    """
    left: defaultdict[str, int] = defaultdict(int)
    for pair, minor in set_off.items():
        if not 0 < minor <= pairs.get(pair, 0):
            raise SetOffRefuted(f"{minor} set off of {pairs.get(pair, 0)} that {pair.debtor} owes {pair.creditor}")
        left[pair.debtor] += minor
        left[pair.creditor] -= minor
    if changed := sorted(name for name, difference in left.items() if difference):
        raise SetOffRefuted(f"the nets of {', '.join(changed)} would change")
    if value(set_off) != recorded:
        raise SetOffRefuted(f"it sets off {value(set_off)}, recorded are {recorded}")
    if _grows(pairs, set_off):
        raise SetOffRefuted("more could be set off")


def _grows(pairs: Pairs, set_off: SetOff) -> bool:
    """Whether some cycle adds more debts to the set-off than it takes out: by Klein, it is then not the largest.

    Bellman-Ford over what may still move. Adding a unit of a debt costs -1, taking one out costs 1; as long as a round
    makes something cheaper there may be a cycle, and after as many rounds as there are participants there is one.
    """
    arcs = [(pair.debtor, pair.creditor, -1) for pair, minor in pairs.items() if set_off.get(pair, 0) < minor]
    arcs += [(pair.creditor, pair.debtor, 1) for pair in set_off]
    cost = dict.fromkeys({name for arc in arcs for name in arc[:2]}, 0)
    for _ in range(len(cost)):
        cheaper = False
        for frm, to, price in arcs:
            if cost[frm] + price < cost[to]:
                cost[to], cheaper = cost[frm] + price, True
        if not cheaper:
            return False
    return bool(cost)
