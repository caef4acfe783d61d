"""The three models: what is paid, and what each saves against paying every debt by itself."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from services.settlement.domain.netting.pairs import Pair, Pairs, gross, nets
from services.settlement.domain.netting.payment import Payment
from services.settlement.domain.netting.set_off import SetOff

CLEARING = "@clearing"
"""The account that stands between all in the multilateral model; no participant has this name."""


class Model(Enum):
    """What is paid of the pair matrix."""

    MULTILATERAL = "MULTILATERAL"
    BILATERAL = "BILATERAL"
    CYCLES_ONLY = "CYCLES_ONLY"


class Shown(NamedTuple):
    """A model in one currency: how often and how much is paid. `saving` is a percentage as text, None where nothing
    is owed.
    """

    model: Model
    payments: tuple[Payment, ...]
    moved_minor: int
    saving: str | None

    @classmethod
    def of(cls, model: Model, payments: Iterable[Payment], owed_minor: int) -> Shown:
        """As the vectors count: of the multilateral model what is paid out, of the others what moves at all."""
        found = tuple(payments)
        moved = sum(one.amount_minor for one in found if one.payer == CLEARING or model is not Model.MULTILATERAL)
        return cls(model, found, moved, saving_percent(owed_minor, moved))


def multilateral(pairs: Pairs) -> Shown:
    """Each net that is not zero, to or from the clearing account: collections first, each by participant."""
    found = nets(pairs)
    collected = [Payment(name, CLEARING, -net) for name, net in found.items() if net < 0]
    paid = [Payment(CLEARING, name, net) for name, net in found.items() if net > 0]
    return Shown.of(Model.MULTILATERAL, [*collected, *paid], gross(pairs))


def bilateral(pairs: Pairs) -> Shown:
    """The difference of each pair, in the order of the pairs."""
    payments = []
    for one, other in sorted({(min(pair), max(pair)) for pair in pairs}):
        left = pairs.get(Pair(one, other), 0) - pairs.get(Pair(other, one), 0)
        if left:
            payments.append(Payment(one, other, left) if left > 0 else Payment(other, one, -left))
    return Shown.of(Model.BILATERAL, payments, gross(pairs))


def cycles_only(pairs: Pairs, set_off: SetOff) -> Shown:
    """What is left of each debt after a set-off, between those who owe it."""
    left = [Payment(*pair, minor - set_off.get(pair, 0)) for pair, minor in sorted(pairs.items())]
    return Shown.of(Model.CYCLES_ONLY, [one for one in left if one.amount_minor], gross(pairs))


def saving_percent(owed_minor: int, moved_minor: int) -> str | None:
    """100 x (owed - moved) / owed, half-even to two places; None when nothing is owed."""
    if owed_minor == 0:
        return None
    hundredths = round(Fraction(10_000 * (owed_minor - moved_minor), owed_minor))
    return f"{hundredths // 100}.{hundredths % 100:02d}"
