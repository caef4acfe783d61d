"""A wallet as the core sees it: what has been folded from its entries so far, wholly or as far as a wish needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.ledger.domain.entry import (
    AccountKind,
    Balance,
    Counterpart,
    Entry,
    EntryKind,
    LotId,
    Posting,
    Unit,
)
from services.ledger.domain.lots import Hold, HoldState, Lot, Redemption, lot_made_by, takes_from
from services.ledger.domain.moment import Moment, days_after
from services.ledger.domain.refusals.journal import JournalCorrupt

EMPTY = Balance()

_SOURCES = frozenset({AccountKind.ISSUED, AccountKind.ADJUSTED, AccountKind.IN_TRANSIT})
_ACTIVITY = frozenset({EntryKind.AWARD, EntryKind.REDEMPTION, EntryKind.CAPTURE})
_ON_HOLDS = frozenset({EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.EXTENSION})
# Named once more, because to look a member up in its enum costs more than to compare it.
_AVAILABLE, _PENDING, _HELD, _OWED = AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD, AccountKind.OWED
_AWARD = EntryKind.AWARD


@dataclass(slots=True)
class Wallet:
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

    # Which lots, holds and debts a verb has to look at.

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

    # Taking an entry in.

    def fold(self, entry: Entry, balances: dict[Unit, Balance] | None = None) -> None:
        """Take the entry in. Raises JournalCorrupt when it does not follow from the state: points would be negative.

        `balances` are those after the entry, for whoever has just reckoned them.
        """
        self.balances.update(self._sound(balances or self.after(entry.postings), entry))
        for posting in entry.postings:
            self._move(posting, entry)
        if entry.kind in _ACTIVITY:
            self.active_at = entry.posted_at
        if entry.kind is not _AWARD:
            self._take_in(entry)

    def _take_in(self, entry: Entry) -> None:
        """What an entry changes beside balances and lots: an award nothing."""
        if entry.kind in _ON_HOLDS:
            self._on_hold(entry)
        match entry.kind:
            case EntryKind.CAPTURE | EntryKind.REDEMPTION:
                self._spent(entry)
            case EntryKind.REVERSAL:
                self._undone(entry)
            case EntryKind.REFUND:
                self._refunded(entry)
            case EntryKind.MERGE_OUT:
                self.merged_into = entry.counterpart
            case EntryKind.MERGE_IN:
                self._merged(entry)
            case _:
                pass

    @staticmethod
    def _sound(balances: dict[Unit, Balance], entry: Entry) -> dict[Unit, Balance]:
        for balance in balances.values():
            if min(balance) < 0:
                raise JournalCorrupt(entry=entry.place, detail="the wallet's balance would be negative")
        return balances

    def after(self, postings: Iterable[Posting]) -> dict[Unit, Balance]:
        """The balances of the units that these postings touch, once they are taken in."""
        found: dict[Unit, list[int]] = {}
        for posting in postings:
            unit, points = posting.unit, posting.points
            sums = found.get(unit)
            if sums is None:
                sums = found[unit] = [*self.balances.get(unit, EMPTY)]
            debit, credit = posting.debit.kind, posting.credit.kind
            if debit <= _OWED:
                sums[debit - 1] -= points if debit is not _OWED else -points
            if credit <= _OWED:
                sums[credit - 1] += points if credit is not _OWED else -points
        return {unit: Balance(*sums) for unit, sums in found.items()}

    def _move(self, posting: Posting, entry: Entry) -> None:
        debit, credit = posting.debit.kind, posting.credit.kind
        points = posting.points
        lot = self.lots.get(posting.lot) or self._made(posting, entry)
        if lot.issuer != posting.issuer or lot.unit is not posting.unit:
            raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.lot} is of {lot.issuer}, in {lot.unit.name}")
        lot.expires_on = posting.expires_on
        if debit <= _OWED:
            self._add(debit, -points, lot, posting, entry)
        if credit <= _OWED:
            self._add(credit, points, lot, posting, entry)
        if lot.available < 0 or lot.pending < 0 or lot.held < 0 or lot.owed < 0:
            raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.lot} would be negative")

    def _add(self, kind: AccountKind, points: int, lot: Lot, posting: Posting, entry: Entry) -> None:
        if kind is _AVAILABLE:
            lot.available += points
        elif kind is _PENDING:
            lot.pending += points
        elif kind is _HELD:
            lot.held += points
        else:
            self._settling(posting, entry).owed -= points

    def _made(self, posting: Posting, entry: Entry) -> Lot:
        """The new lot of a posting that makes one. A debt that arrives comes as a lot without points."""
        debit, credit = posting.debit.kind, posting.credit.kind
        if debit not in _SOURCES and not (debit is AccountKind.OWED and credit is AccountKind.IN_TRANSIT):
            raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.lot} is unknown")
        lot = self.lots[posting.lot] = lot_made_by(posting, entry.occurred_at)
        if lot.idle_days is not None:
            self.idle_days = min(lot.idle_days, self.idle_days or lot.idle_days)
            self.active_at = lot.earned_at if self.active_at is None else self.active_at
        return lot

    def _settling(self, posting: Posting, entry: Entry) -> Lot:
        """The award lot whose reversal or debt a posting settles."""
        lot = self.lots.get(posting.for_lot or posting.lot)
        if lot is None:
            raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.for_lot} is unknown")
        return lot

    def _on_hold(self, entry: Entry) -> None:
        if entry.kind is EntryKind.HOLD:
            pins = takes_from(entry.postings, AccountKind.HELD)
            self.holds[entry.seq] = Hold(entry.seq, entry.partner, entry.points, entry.hold_until or 0, pins)
        elif entry.kind is EntryKind.EXTENSION:
            self.holds[entry.original or 0].expires_at = entry.hold_until or 0
        else:
            self._ended(entry)

    def _spent(self, entry: Entry) -> None:
        takes = takes_from(entry.postings, AccountKind.REDEEMED)
        self.redemptions[entry.seq] = Redemption(entry.seq, entry.partner, entry.points, takes)

    def _refunded(self, entry: Entry) -> None:
        redemption = self.redemptions[entry.original or 0]
        redemption.refunded += entry.points
        if redemption.refunded > redemption.points:
            raise JournalCorrupt(entry=entry.place, detail="more is refunded than was spent")

    def _ended(self, entry: Entry) -> None:
        """Of a hold, what was captured and what went back; it is closed once nothing is left."""
        hold = self.holds[entry.original or 0]
        for posting in entry.postings:
            if posting.debit.kind is not AccountKind.HELD:
                continue
            if posting.credit.kind is AccountKind.REDEEMED:
                hold.captured += posting.points
            else:
                hold.released += posting.points
        if hold.left < 0:
            raise JournalCorrupt(entry=entry.place, detail=f"more of hold {hold.seq} is ended than was held")
        if not hold.left:
            hold.state = HoldState.CAPTURED if hold.captured else HoldState.RELEASED

    def _undone(self, entry: Entry) -> None:
        lines = self.award_lots(entry.original or 0)
        for posting in entry.postings:
            if posting.credit.kind is not AccountKind.ISSUED:
                continue
            wanted = posting.for_lot or posting.lot
            # Entries from before `for_lot` name the line by its issuer, which then stood in one line only.
            named = (lot for lot in lines if lot.id == wanted and lot.issuer == posting.credit.party)
            lot = next(named, None) or next((lot for lot in lines if lot.issuer == posting.credit.party), None)
            if lot is None:
                raise JournalCorrupt(entry=entry.place, detail=f"{posting.credit} is no line of the award")
            lot.undone += posting.points
            if lot.undone > lot.awarded:
                raise JournalCorrupt(entry=entry.place, detail=f"more of lot {lot.id} is undone than was awarded")

    def _merged(self, entry: Entry) -> None:
        """The other wallet's request ids count here from now on. Of two merges into each other the later counts."""
        if entry.counterpart is None:
            raise JournalCorrupt(entry=entry.place, detail="it does not say which wallet was merged")
        other = Counterpart(entry.counterpart.bucket, entry.counterpart.wallet)
        if other not in self.aliases:
            self.aliases = (*self.aliases, other)
        if self.merged_into is not None and self.merged_into.wallet == other.wallet:
            self.merged_into = None


def _age(lot: Lot) -> tuple[int, LotId]:
    return (lot.earned_at, lot.id)
