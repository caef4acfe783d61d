"""Who may call what. A method without a row is nobody's; whose purchase it is says the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.rpc.caller import Role

_OPERATOR = frozenset({Role.OPERATOR})
_PARTNER = frozenset({Role.PARTNER})
_BOTH = _OPERATOR | _PARTNER
_RULES = "/coalition.catalogue.v1.EarnRuleService"
_PURCHASES = "/coalition.catalogue.v1.PurchaseService"

ACCESS: Final[Mapping[str, frozenset[Role]]] = {
    f"{_RULES}/PublishEarnRules": _OPERATOR,
    f"{_RULES}/GetEarnRules": _BOTH,
    f"{_RULES}/ListEarnRules": _BOTH,
    f"{_PURCHASES}/RatePurchase": _PARTNER,
    f"{_PURCHASES}/RecordPurchase": _PARTNER,
    f"{_PURCHASES}/BatchRecordPurchases": _PARTNER,
    f"{_PURCHASES}/RefundPurchase": _PARTNER,
    f"{_PURCHASES}/GetPurchase": _BOTH,
    f"{_PURCHASES}/GetPurchaseTotals": _OPERATOR,
}

METHOD_BYTES: Final[Mapping[str, int]] = {
    f"{_RULES}/PublishEarnRules": 1024 * 1024,
    f"{_PURCHASES}/RatePurchase": 256 * 1024,
    f"{_PURCHASES}/RecordPurchase": 256 * 1024,
    f"{_PURCHASES}/BatchRecordPurchases": 4 * 1024 * 1024,
}
"""Rules of a hundred with their lists, receipts of a thousand lines, batches of 500; the rest is small."""
