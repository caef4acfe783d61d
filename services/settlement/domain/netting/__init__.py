"""Netting: who owes whom, the three models of what is then paid, and what each of them saves.

The pair matrix is always kept; a model is a view of it. Nets never differ between models, only the payments do.
"""

from services.settlement.domain.netting.direct import partner_to_partner
from services.settlement.domain.netting.models import Model, Shown, bilateral, cycles_only, multilateral, saving_percent
from services.settlement.domain.netting.pairs import Pair, Pairs, gross, nets, pairs_of
from services.settlement.domain.netting.payment import Payment
from services.settlement.domain.netting.set_off import SetOff, SetOffRefuted, check, value

__all__ = [
    "Model",
    "Pair",
    "Pairs",
    "Payment",
    "SetOff",
    "SetOffRefuted",
    "Shown",
    "bilateral",
    "check",
    "cycles_only",
    "gross",
    "multilateral",
    "nets",
    "pairs_of",
    "partner_to_partner",
    "saving_percent",
    "value",
]
