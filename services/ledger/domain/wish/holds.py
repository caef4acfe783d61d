"""Points are reserved, and what becomes of them then."""

from __future__ import annotations

from dataclasses import dataclass

from services.ledger.domain.entry import ReceiptRef, Unit
from services.ledger.domain.wish.kinds import EntryWish, WalletWish
from services.ledger.domain.wish.wording import given, receipt_meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldWish(WalletWish):
    """Reserve points for `ttl` microseconds."""

    points: int
    ttl: int
    store: str | None = None
    terminal: str | None = None
    unit: Unit = Unit.POINTS
    receipt_points: int | None = None

    def meaning(self) -> list[object]:
        whole = [str(self.wallet), self.partner, self.points, self.ttl, self.store, self.terminal, self.occurred_at]
        return [*whole, *given(unit=self.unit, receipt_points=self.receipt_points)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureWish(EntryWish):
    """Spend held points; `points` is None for all of them. With `keep_open` the rest stays held."""

    points: int | None = None
    receipt: ReceiptRef | None = None
    keep_open: bool = False

    def meaning(self) -> list[object]:
        whole = [self.original, self.partner, self.points, receipt_meaning(self.receipt), self.occurred_at]
        return [*whole, *given(keep_open=self.keep_open)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWish(EntryWish):
    """Give held points back; `points` is None for all that are still held."""

    points: int | None = None

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.occurred_at, *given(points=self.points)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendWish(EntryWish):
    """Let a hold live for `ttl` microseconds from now."""

    ttl: int

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.ttl, self.occurred_at]
