"""What somebody wants to happen to a wallet, before the core has decided.

`request_hash` covers the meaning of the request, not its bytes and not its grant: a retry may carry a fresh one.
Instants are microseconds since 1970 in UTC; `occurred_at` is None when the caller left it to the ledger.
"""

from services.ledger.domain.wish.adjustments import AdjustWish
from services.ledger.domain.wish.awards import AwardWish, ReleasePendingWish, ReverseWish
from services.ledger.domain.wish.clock import ClearWish, ExpireHoldWish, ExpireLotsWish, TendWish
from services.ledger.domain.wish.holds import CaptureWish, ExtendWish, HoldWish, ReleaseWish
from services.ledger.domain.wish.kinds import EntryWish, WalletWish, Wish
from services.ledger.domain.wish.lines import Line, LineKey
from services.ledger.domain.wish.moves import ArriveWish, MergeWish, TransferWish
from services.ledger.domain.wish.redemptions import RedeemWish, RefundWish

__all__ = [
    "AdjustWish",
    "ArriveWish",
    "AwardWish",
    "CaptureWish",
    "ClearWish",
    "EntryWish",
    "ExpireHoldWish",
    "ExpireLotsWish",
    "ExtendWish",
    "HoldWish",
    "Line",
    "LineKey",
    "MergeWish",
    "RedeemWish",
    "RefundWish",
    "ReleasePendingWish",
    "ReleaseWish",
    "ReverseWish",
    "TendWish",
    "TransferWish",
    "WalletWish",
    "Wish",
]
