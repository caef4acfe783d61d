"""What the ledger refuses: grants, awards, holds, redemptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coalition.client.refused import Refused


class GrantInvalid(Refused):
    """Not a grant, or another partner's."""


class GrantExpired(Refused):
    """Resolve the member again."""


class GrantScope(Refused):
    """The grant lets award and not redeem: resolve the member with a rotating code."""


class GrantScopeExceeded(Refused):
    """More points than the grant allows in one call."""

    @property
    def allowed(self) -> int:
        """The most points it allows."""
        return self.number("allowed")


class InsufficientPoints(Refused):
    """The wallet has fewer points free than were asked for."""

    @property
    def available(self) -> int:
        """Points that can be spent now."""
        return self.number("available")

    @property
    def requested(self) -> int:
        """Points that were asked for."""
        return self.number("requested")

    @property
    def max_redeemable_points(self) -> int:
        """The most that may be spent here at once."""
        return self.number("maxRedeemablePoints")


class RedemptionLimit(Refused):
    """The contract has a step, a least or a most for what is spent at once."""

    @property
    def max_redeemable_points(self) -> int:
        """The most that may be spent here at once."""
        return self.number("maxRedeemablePoints")


class PartnerNetDebitCapExceeded(Refused):
    """The partner's cap is reached: award fewer points, or ask the operator."""

    @property
    def allowance_points(self) -> int:
        """Points that may still be awarded."""
        return self.number("allowancePoints")


class NothingPending(Refused):
    """Nothing of the award is pending any more."""


class TransferLimit(Refused):
    """More points than a member may send now."""

    @property
    def transferable_points(self) -> int:
        """The most that may be sent now."""
        return self.number("transferablePoints")


class WalletMerged(Refused):
    """The member was merged into another one."""


class EntryNotFound(Refused):
    """No such entry of yours."""


class EntryNotCovered(Refused):
    """The entry is younger than the checkpoint: ask again when the next one has been taken."""


class HoldNotFound(Refused):
    """No such hold of yours."""


class HoldClosed(Refused):
    """Captured or released before."""

    @property
    def state(self) -> str:
        """Which of the two."""
        return self.fact("state")


class HoldExpired(Refused):
    """Its time was up and the points went back."""


class CaptureExceedsHold(Refused):
    """More points than the hold reserves."""

    @property
    def held(self) -> int:
        """Points that it reserves."""
        return self.number("held")


class ReleaseExceedsHold(Refused):
    """More points than the hold still reserves."""

    @property
    def held(self) -> int:
        """Points that it reserves."""
        return self.number("held")


class HoldEndsLater(Refused):
    """The hold lives longer than that already."""


class ReversalExceedsAward(Refused):
    """More points than are left to reverse."""

    @property
    def reversible(self) -> int:
        """Points that are left."""
        return self.number("reversible")


class RefundExceedsRedemption(Refused):
    """More points than are left to refund."""

    @property
    def refundable(self) -> int:
        """Points that are left."""
        return self.number("refundable")


TYPES: Final[Mapping[str, type[Refused]]] = {
    "GRANT_INVALID": GrantInvalid,
    "GRANT_EXPIRED": GrantExpired,
    "GRANT_SCOPE": GrantScope,
    "GRANT_SCOPE_EXCEEDED": GrantScopeExceeded,
    "INSUFFICIENT_POINTS": InsufficientPoints,
    "REDEMPTION_LIMIT": RedemptionLimit,
    "PARTNER_NET_DEBIT_CAP_EXCEEDED": PartnerNetDebitCapExceeded,
    "NOTHING_PENDING": NothingPending,
    "TRANSFER_LIMIT": TransferLimit,
    "WALLET_MERGED": WalletMerged,
    "ENTRY_NOT_FOUND": EntryNotFound,
    "ENTRY_NOT_COVERED": EntryNotCovered,
    "HOLD_NOT_FOUND": HoldNotFound,
    "HOLD_CLOSED": HoldClosed,
    "HOLD_EXPIRED": HoldExpired,
    "CAPTURE_EXCEEDS_HOLD": CaptureExceedsHold,
    "RELEASE_EXCEEDS_HOLD": ReleaseExceedsHold,
    "HOLD_ENDS_LATER": HoldEndsLater,
    "REVERSAL_EXCEEDS_AWARD": ReversalExceedsAward,
    "REFUND_EXCEEDS_REDEMPTION": RefundExceedsRedemption,
}
