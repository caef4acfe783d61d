"""Points go to another wallet, by two legs."""

from __future__ import annotations

from dataclasses import dataclass

from services.ledger.domain.entry import Counterpart, Entry, Unit
from services.ledger.domain.wish.kinds import WalletWish
from services.ledger.domain.wish.wording import given


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferWish(WalletWish):
    """Send available points to another wallet: the leg that leaves."""

    to: Counterpart
    points: int
    unit: Unit = Unit.POINTS

    def meaning(self) -> list[object]:
        whole = [str(self.wallet), self.partner, str(self.to.wallet), self.points, self.occurred_at]
        return [*whole, *given(unit=self.unit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeWish(WalletWish):
    """Send everything to another wallet, debts too, and whatever comes later: the leg that leaves."""

    to: Counterpart

    def meaning(self) -> list[object]:
        return [str(self.wallet), self.partner, str(self.to.wallet), self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArriveWish(WalletWish):
    """Take in what left another wallet by entry `out`: the leg that arrives."""

    out: Entry

    def meaning(self) -> list[object]:
        return [self.out.bucket, self.out.seq]
