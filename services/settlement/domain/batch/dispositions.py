"""What becomes of each participant's net: collected, paid, carried, held."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from services.settlement.domain.batch.basis import FX, PaymentTerms
from services.settlement.domain.default import COLLATERAL, DEFAULT, GUARANTEE
from services.settlement.domain.legs import OPERATOR

_STAYS = {OPERATOR: "OWN", FX: "FX", DEFAULT: "DEFAULT", COLLATERAL: "COVER", GUARANTEE: "COVER"}
"""Whose sums stay on the clearing account, or come to it by the operator's own hand, and why."""


class Do(Enum):
    """What is done with a sum."""

    COLLECT = "COLLECT"
    PAY = "PAY"
    CARRY = "CARRY"
    HOLD = "HOLD"
    NONE = "NONE"


class Disposition(NamedTuple):
    """`net_minor` (after fees, tax and conversion) and `opening_minor`: + the clearing account pays the partner.

    `amount_minor` is what moves, stays or waits: positive for COLLECT and PAY, signed like the net for CARRY and HOLD.
    `why` is MINIMUM, SUSPENDED, OWN (the operator's stays on the clearing account), FX (treasury's deal), DEFAULT (what
    a defaulter still owes), COVER (collateral that is to be moved in), or empty.
    """

    partner: str
    currency: str
    net_minor: int
    opening_minor: int
    do: Do
    amount_minor: int
    why: str = ""

    @property
    def left_minor(self) -> int:
        """What is still open when all payments are done, signed like the net."""
        return self.amount_minor if self.do in {Do.CARRY, Do.HOLD} else 0


def disposed(
    partner: str, currency: str, net: int, opening: int, terms: PaymentTerms, held: frozenset[str]
) -> Disposition:
    """The rule: nobody's money waits but the suspended's, small credits, and what the operator keeps."""
    total = net + opening
    if total == 0:
        return Disposition(partner, currency, net, opening, Do.NONE, 0)
    if partner in _STAYS:
        return Disposition(partner, currency, net, opening, Do.CARRY, total, _STAYS[partner])
    if partner in held:
        return Disposition(partner, currency, net, opening, Do.HOLD, total, "SUSPENDED")
    if total < 0:
        return Disposition(partner, currency, net, opening, Do.COLLECT, -total)
    if total < terms.minimum_minor:
        return Disposition(partner, currency, net, opening, Do.CARRY, total, "MINIMUM")
    return Disposition(partner, currency, net, opening, Do.PAY, total)
