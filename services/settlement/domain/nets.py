"""Nets: what each participant pays or gets for a window. Multilateral, through the operator: they add up to zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from services.settlement.domain.contract import OPERATOR
from services.settlement.domain.lines import Line
from services.settlement.domain.obligations import Leg


class Net(NamedTuple):
    """In minor units. `net_minor` is positive when the operator pays the partner.

    The operator's own row has no bill and no reimbursement: it is the other side of all of them.
    """

    partner: str
    currency: str
    billed_minor: int
    reimbursed_minor: int
    net_minor: int


def nets_of(lines: Iterable[Line], participants: Iterable[tuple[str, str]]) -> list[Net]:
    """One net for each participant and currency, by partner, the operator's last; each currency sums to zero.

    `participants` are the partners and currencies that get one even without a line.
    """
    billed: dict[tuple[str, str], int] = defaultdict(int)
    reimbursed: dict[tuple[str, str], int] = defaultdict(int)
    keys = {key for key in participants if key[0] != OPERATOR}
    for line in lines:
        key = (line.key.partner, line.key.currency)
        keys.add(key)
        (billed if line.key.leg is Leg.ISSUANCE else reimbursed)[key] += line.booked_minor
    rows = [Net(*key, billed[key], reimbursed[key], reimbursed[key] - billed[key]) for key in sorted(keys)]
    totals: dict[str, int] = defaultdict(int)
    for row in rows:
        totals[row.currency] -= row.net_minor
    return [*rows, *(Net(OPERATOR, currency, 0, 0, total) for currency, total in sorted(totals.items()))]
