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


class EntryNotFound(Refused):
    """No such entry of yours."""


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
    "ENTRY_NOT_FOUND": EntryNotFound,
    "HOLD_NOT_FOUND": HoldNotFound,
    "HOLD_CLOSED": HoldClosed,
    "HOLD_EXPIRED": HoldExpired,
    "CAPTURE_EXCEEDS_HOLD": CaptureExceedsHold,
    "REVERSAL_EXCEEDS_AWARD": ReversalExceedsAward,
    "REFUND_EXCEEDS_REDEMPTION": RefundExceedsRedemption,
}
