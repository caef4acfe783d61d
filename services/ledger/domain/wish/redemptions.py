"""Points are spent at once, and any that were spent come back."""

from __future__ import annotations

from dataclasses import dataclass

from services.ledger.domain.entry import ReceiptRef, Unit
from services.ledger.domain.wish.kinds import EntryWish, WalletWish
from services.ledger.domain.wish.wording import given, receipt_meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemWish(WalletWish):
    """Spend points at once. `receipt_points` is what the whole receipt would cost in points."""

    points: int
    receipt: ReceiptRef | None = None
    unit: Unit = Unit.POINTS
    receipt_points: int | None = None

    def meaning(self) -> list[object]:
        whole = [str(self.wallet), self.partner, self.points, receipt_meaning(self.receipt), self.occurred_at]
        return [*whole, *given(unit=self.unit, receipt_points=self.receipt_points)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish(EntryWish):
    """Undo a redemption; `points` is None for all that is left of it."""

    points: int | None = None

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.points, self.occurred_at]
