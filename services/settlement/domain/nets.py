"""Nets: what each participant pays or gets for a window. Multilateral, through the operator: they add up to zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from services.settlement.domain.legs import OPERATOR, Leg
from services.settlement.domain.lines import Line


class Net(NamedTuple):
    """In minor units. `net_minor` is positive when the participant gets it.

    It is what is reimbursed to the partner, less what is billed to it, less fees, plus the tax it gets less the tax it
    pays. The operator's own row has only the net: it is the other side of nearly all of them.
    """

    partner: str
    currency: str
    billed_minor: int
    reimbursed_minor: int
    net_minor: int
    fees_minor: int = 0
    tax_minor: int = 0


def nets_of(lines: Iterable[Line], participants: Iterable[tuple[str, str]]) -> list[Net]:
    """One net for each participant and currency, by partner, the operator's last; each currency sums to zero.

    `participants` are the partners and currencies that get one even without a line.
    """
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for participant in participants:
        sums[participant]
    for line in lines:
        key, minor = line.key, line.booked_minor
        debtor, creditor = sums[key.debtor, key.currency], sums[key.creditor, key.currency]
        debtor[2 if key.leg is Leg.FEE else 0] += minor
        creditor[1] += 0 if key.leg is Leg.FEE else minor
        debtor[3] -= line.tax_minor
        creditor[3] += line.tax_minor
    rows = [_net(*key, *sums[key]) for key in sorted(sums) if key[0] != OPERATOR]
    totals: dict[str, int] = defaultdict(int)
    for row in rows:
        totals[row.currency] -= row.net_minor
    return [*rows, *(Net(OPERATOR, currency, 0, 0, total) for currency, total in sorted(totals.items()))]


def _net(partner: str, currency: str, billed: int, reimbursed: int, fees: int, tax: int) -> Net:
    return Net(partner, currency, billed, reimbursed, reimbursed - billed - fees + tax, fees, tax)
