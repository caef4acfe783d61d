"""What is in force beside the programme when a wish is decided: each partner's policy, and what caps still allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from uuid import UUID


class NegativeBalance(IntEnum):
    """What becomes of reversed points that were spent already. The numbers are those of the contract."""

    ALLOW_NEGATIVE = 1
    WITHHOLD_FROM_REFUND = 2
    WRITE_OFF = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """One partner's terms as far as the ledger keeps them.

    As issuer: `pending_days` until its awards become available; `negative_balance`. As acceptor: `redemption_step` and
    `redemption_minimum` in points; `redemption_share_bp`, the most of a receipt that points may pay, in 1/10 000.
    """

    pending_days: int = 0
    negative_balance: NegativeBalance = NegativeBalance.WRITE_OFF
    redemption_step: int = 1
    redemption_minimum: int = 0
    redemption_share_bp: int = 10_000
    revision: int = 0

    def redeemable(self, free: int, receipt_points: int | None) -> int:
        """The most that may be spent at once, of `free` points, on a receipt worth so many points."""
        most = free
        if receipt_points is not None:
            most = min(most, receipt_points * self.redemption_share_bp // 10_000)
        most -= most % self.redemption_step
        return most if most >= self.redemption_minimum else 0


NO_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Terms:
    """`allowances`: points that an issuer may still award, for those that have a cap. `sent`: points that a wallet
    has sent to others today."""

    policies: Mapping[str, Policy] = field(default_factory=lambda: MappingProxyType({}))
    allowances: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    sent: Mapping[UUID, int] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, partner: str) -> Policy:
        return self.policies.get(partner, NO_POLICY)


NO_TERMS = Terms()
