"""What must hold of a calculation, checked when it is made, stored beside it, and checked again by whoever verifies."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from services.settlement.domain.batch.basis import FX, Basis
from services.settlement.domain.batch.calculation import Calculation
from services.settlement.domain.batch.dispositions import Do
from services.settlement.domain.netting import check, value


class ProofFailed(Exception):
    """A calculation that must not be used: a bug of ours."""


class Proven(NamedTuple):
    """What was checked, and what it came to."""

    proof: str
    says: str


def proven(basis: Basis, made: Calculation) -> tuple[Proven, ...]:
    """P1, P5, and that each set-off is one. Raises ProofFailed."""
    for currency, pairs in made.pairs.items():
        try:
            check(pairs, made.set_offs[currency], value(made.set_offs[currency]))
        except ValueError as refuted:
            raise ProofFailed(f"the set-off in {currency}: {refuted}") from refuted
    _nets_are_zero(made)
    _every_net_has_an_end(basis, made)
    return (
        Proven("P1", f"{len(made.nets)} nets of {len(made.pairs)} currencies add up to 0, after conversion too"),
        Proven("P5", f"{len(basis.dues)} dues are the nets; nets and openings are {len(made.dispositions)} ends"),
    )


def _nets_are_zero(made: Calculation) -> None:
    before: defaultdict[str, int] = defaultdict(int)
    after: defaultdict[str, int] = defaultdict(int)
    for net in made.nets:
        before[net.currency] += net.net_minor
    for one in made.dispositions:
        after[one.currency] += one.net_minor
    if wrong := sorted(currency for sums in (before, after) for currency, left in sums.items() if left):
        raise ProofFailed(f"P1: the nets in {', '.join(wrong)} do not add up to 0")


def _every_net_has_an_end(basis: Basis, made: Calculation) -> None:
    """Dues and openings on the one side; payments, partners' own payments, what is carried and held on the other."""
    left: defaultdict[tuple[str, str], int] = defaultdict(int)
    for due in basis.dues:
        left[due.debtor, due.currency] -= due.minor
        left[due.creditor, due.currency] += due.minor
    for opening in basis.openings:
        left[opening.partner, opening.currency] += opening.minor
    for currency, payments in made.between.items():
        for payer, payee, minor in payments:
            left[payer, currency] += minor
            left[payee, currency] -= minor
    for one in made.conversions:
        left[one.partner, one.currency] -= one.minor
        left[one.partner, one.target] += one.target_minor
        left[FX, one.currency] += one.minor
        left[FX, one.target] -= one.target_minor
    for ended in made.dispositions:
        signed = {Do.COLLECT: -ended.amount_minor, Do.PAY: ended.amount_minor}.get(ended.do, ended.left_minor)
        left[ended.partner, ended.currency] -= signed
        if ended.do in {Do.COLLECT, Do.PAY} and ended.amount_minor <= 0:
            raise ProofFailed(f"P5: {ended.partner} would move {ended.amount_minor} {ended.currency}")
    if wrong := sorted(f"{partner} {currency}" for (partner, currency), rest in left.items() if rest):
        raise ProofFailed(f"P5: what {', '.join(wrong)} gets is not what it is due")
