"""What a wallet contains, and which of its lots, holds and debts a verb has to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.ledger.domain.entry import Balance, Counterpart, LotId, Unit
from services.ledger.domain.lots import Hold, Lot, Redemption
from services.ledger.domain.moment import Moment, days_after

EMPTY = Balance()


@dataclass(slots=True)
class Contents:
    """Balances, lots, holds and redemptions of one wallet.

    `active_at`: its last award or redemption. `idle_days`: the shortest inactivity that ended any of its lots.
    `merged_into`: where everything goes that still arrives. `aliases`: the wallets that were merged into this one.
    """

    bucket: int
    id: UUID
    balances: dict[Unit, Balance] = field(default_factory=dict)
    lots: dict[LotId, Lot] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    redemptions: dict[int, Redemption] = field(default_factory=dict)
    active_at: int | None = None
    idle_days: int | None = None
    merged_into: Counterpart | None = None
    aliases: tuple[Counterpart, ...] = ()

    @property
    def balance(self) -> Balance:
        """Of redeemable points."""
        return self.balances.get(Unit.POINTS, EMPTY)

    @property
    def owes(self) -> bool:
        """Whether it has a debt in any unit."""
        return any(balance.debt for balance in self.balances.values())

    def of(self, unit: Unit) -> Balance:
        return self.balances.get(unit, EMPTY)

    def last_day(self, lot: Lot, now: Moment) -> date | None:
        """The lot's last day of use, as activity stands now; None when it never ends."""
        if lot.idle_days is None:
            return lot.expires_on
        active_at = lot.earned_at if self.active_at is None else max(self.active_at, lot.earned_at)
        idle = days_after(now.day_of(active_at), lot.idle_days)
        return idle if lot.expires_on is None else max(lot.expires_on, idle)

    def is_over(self, lot: Lot, now: Moment) -> bool:
        """Whether the lot's last day of use has passed."""
        if lot.idle_days is None:
            return lot.expires_on is not None and lot.expires_on < now.today
        last = self.last_day(lot, now)
        return last is not None and last < now.today

    def free(self, unit: Unit, now: Moment) -> int:
        """Available points whose last day has not passed. Needs only those lots whose last day has."""
        return self.of(unit).available - sum(lot.available for lot in self.due_lots(now) if lot.unit is unit)

    def spendable(self, now: Moment, unit: Unit = Unit.POINTS, *, oldest_first: bool = False) -> list[Lot]:
        """Lots in the order they are taken: first-expiring-first, or oldest first; ties by earning time, then id."""
        usable = [
            lot for lot in self.lots.values() if lot.available and lot.unit is unit and not self.is_over(lot, now)
        ]
        return sorted(usable, key=_age) if oldest_first else self._by_last_day(usable, now)

    def due_lots(self, now: Moment) -> list[Lot]:
        """Lots with available points whose last day has passed, first-expired-first."""
        due = [lot for lot in self.lots.values() if lot.available and self.is_over(lot, now)]
        return self._by_last_day(due, now)

    def due_pending(self, at: int) -> list[Lot]:
        """Lots whose points are pending until then at most, oldest first."""
        due = (lot for lot in self.lots.values() if lot.pending and (lot.available_from or 0) <= at)
        return sorted(due, key=_age)

    def due_holds(self, at: int) -> list[Hold]:
        """Holds whose time is up, oldest first."""
        return sorted((hold for hold in self.holds.values() if hold.due(at)), key=lambda hold: hold.seq)

    def lapsed(self, now: Moment) -> bool:
        """Whether inactivity may have ended a lot: then its lots have to be looked at before it is active again."""
        if self.idle_days is None or self.active_at is None:
            return False
        return days_after(now.day_of(self.active_at), self.idle_days) < now.today

    def debts(self, unit: Unit) -> list[Lot]:
        """Award lots that the wallet still owes points for, oldest first."""
        return sorted((lot for lot in self.lots.values() if lot.owed and lot.unit is unit), key=lambda lot: lot.id)

    def award_lots(self, seq: int) -> list[Lot]:
        """The lots that one award made, by line."""
        return sorted((lot for id_, lot in self.lots.items() if id_.seq == seq), key=lambda lot: lot.id)

    def _by_last_day(self, lots: list[Lot], now: Moment) -> list[Lot]:
        return sorted(lots, key=lambda lot: (self.last_day(lot, now) or date.max, _age(lot)))


def _age(lot: Lot) -> tuple[int, LotId]:
    return (lot.earned_at, lot.id)
