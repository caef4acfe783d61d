"""A correction by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.ledger.domain.entry import Unit
from services.ledger.domain.wish.kinds import WalletWish
from services.ledger.domain.wish.wording import day_text


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustWish(WalletWish):
    """Correct by hand, as one user proposed and another approved: give points of an issuer, or take them."""

    issuer: str
    points: int
    taking: bool
    reason: str
    proposed_by: str
    approved_by: str
    unit: Unit = Unit.POINTS
    expires_on: date | None = None

    def meaning(self) -> list[object]:
        whole = [str(self.wallet), self.issuer, self.unit.name, self.points, self.taking, self.reason]
        return [*whole, self.proposed_by, day_text(self.expires_on)]
