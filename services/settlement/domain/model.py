"""What is settled together, how it is netted and when it is paid: a named model, published as versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.settlement.domain.netting import Model as Netting
from shared.canonical import Canonical


@dataclass(frozen=True, slots=True)
class SettlementModel:
    """`name` is `models/{id}`. No participants: all; no currencies: each that occurs. A payment is due `payment_days`
    business days of `calendar` after the day on which the batch is made; a smaller credit than `minimum_minor` of its
    currency is carried. An FX set may be `fx_days` days old.
    """

    name: str
    version: int
    netting: Netting
    calendar: str
    payment_days: int
    currencies: frozenset[str] = frozenset()
    participants: frozenset[str] = frozenset()
    minimum_minor: Mapping[str, int] | None = None
    fx_days: int = 5

    def settles(self, partner: str, currency: str) -> bool:
        """Whether this net is this model's."""
        return (not self.participants or partner in self.participants) and (
            not self.currencies or currency in self.currencies
        )

    def content(self) -> Canonical:
        """What is approved."""
        return {
            "netting": self.netting.value,
            "calendar": self.calendar,
            "payment_days": self.payment_days,
            "currencies": sorted(self.currencies),
            "participants": sorted(self.participants),
            "minimum_minor": dict(self.minimum_minor or {}),
            "fx_days": self.fx_days,
        }
