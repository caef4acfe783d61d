"""The calculation: dues to nets, nets by a model to payments, other currencies converted, openings taken in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from services.settlement.domain.batch.basis import FX, Basis, Due
from services.settlement.domain.batch.conversion import Conversion, converted
from services.settlement.domain.batch.dispositions import Disposition, disposed
from services.settlement.domain.default import DEFAULT
from services.settlement.domain.legs import OPERATOR
from services.settlement.domain.netting import (
    Model,
    Pairs,
    Payment,
    SetOff,
    Shown,
    bilateral,
    cycles_only,
    multilateral,
    pairs_of,
)

Solver: TypeAlias = Callable[[str, Pairs], SetOff]
"""The set-off for the matrix of a currency: found by a solver the first time, looked up ever after."""
_APART = {"FEE", "TAX"}


class Net(NamedTuple):
    """A participant's net in one currency and what it is made of, all signed: + it gets, - it pays."""

    partner: str
    currency: str
    lines_minor: int
    fees_minor: int
    taxes_minor: int

    @property
    def net_minor(self) -> int:
        return self.lines_minor + self.fees_minor + self.taxes_minor


@dataclass(frozen=True, slots=True)
class Calculation:
    """`between` is what partners pay each other directly, outside the clearing account: not in the multilateral model.
    By currency: the matrix, the set-off and all three models, whichever is used.
    """

    nets: tuple[Net, ...]
    pairs: Mapping[str, Pairs]
    set_offs: Mapping[str, SetOff]
    shown: Mapping[str, tuple[Shown, Shown, Shown]]
    between: Mapping[str, tuple[Payment, ...]]
    conversions: tuple[Conversion, ...]
    dispositions: tuple[Disposition, ...]

    @property
    def clearing_minor(self) -> dict[str, int]:
        """By currency, what it leaves on the clearing account when every payment and treasury's deal is done."""
        return self.left_of(self.dispositions)

    @staticmethod
    def left_of(dispositions: Iterable[Disposition]) -> dict[str, int]:
        """`clearing_minor` of dispositions alone. What a defaulter owes is nowhere."""
        left: defaultdict[str, int] = defaultdict(int)
        for one in dispositions:
            left[one.currency] += one.left_minor if one.partner not in {FX, DEFAULT} else 0
        return dict(left)


def calculated(basis: Basis, solver: Solver) -> Calculation:
    """The calculation of a basis. Raises FxIncomplete."""
    nets = _nets(basis.dues)
    currencies = sorted({due.currency for due in basis.dues})
    pairs = {
        currency: pairs_of((due.debtor, due.creditor, due.minor) for due in basis.dues if due.currency == currency)
        for currency in currencies
    }
    set_offs = {currency: solver(currency, pairs[currency]) for currency in currencies}
    shown = {
        currency: (multilateral(matrix), bilateral(matrix), cycles_only(matrix, set_offs[currency]))
        for currency, matrix in pairs.items()
    }
    between = {currency: _between(basis.model, shown[currency]) for currency in currencies}
    sums = {(net.partner, net.currency): net.net_minor for net in nets}
    for currency, payments in between.items():
        for payer, payee, minor in payments:
            sums[payer, currency] += minor
            sums[payee, currency] -= minor
    conversions, dispositions = _settled(basis, sums)
    return Calculation(nets, pairs, set_offs, shown, between, conversions, dispositions)


def _nets(dues: tuple[Due, ...]) -> tuple[Net, ...]:
    parts: defaultdict[tuple[str, str], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for due in dues:
        kind = due.kind if due.kind in _APART else "LINE"
        parts[due.debtor, due.currency][kind] -= due.minor
        parts[due.creditor, due.currency][kind] += due.minor
    return tuple(Net(*key, of["LINE"], of["FEE"], of["TAX"]) for key, of in sorted(parts.items()))


def _between(model: Model, shown: tuple[Shown, Shown, Shown]) -> tuple[Payment, ...]:
    """What does not go through the operator. In the multilateral model everything does."""
    if model is Model.MULTILATERAL:
        return ()
    (chosen,) = (one for one in shown if one.model is model)
    return tuple(one for one in chosen.payments if OPERATOR not in {one.payer, one.payee})


def _settled(
    basis: Basis, sums: Mapping[tuple[str, str], int]
) -> tuple[tuple[Conversion, ...], tuple[Disposition, ...]]:
    nets: defaultdict[tuple[str, str], int] = defaultdict(int, sums)
    openings: defaultdict[tuple[str, str], int] = defaultdict(int)
    for opening in basis.openings:
        openings[opening.partner, opening.currency] += opening.minor
    conversions = []
    for partner, currency in sorted(nets.keys() | openings.keys()):
        target = basis.terms_of(partner).currency
        minor = nets[partner, currency] + openings[partner, currency]
        if partner == OPERATOR or target in {"", currency} or minor == 0:
            continue
        one = converted(partner, minor, currency, target, basis.quotes, basis.fx_set)
        conversions.append(one)
        nets[partner, currency] -= minor
        nets[FX, currency] += minor
        nets[partner, target] += one.target_minor
        nets[FX, target] -= one.target_minor
    dispositions = tuple(
        disposed(*key, nets[key], openings[key], basis.terms_of(key[0]), basis.held)
        for key in sorted(nets.keys() | openings.keys())
    )
    return tuple(conversions), dispositions
