"""A wallet as the core sees it: what has been folded from its entries so far, wholly or as far as a wish needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from uuid import UUID

from services.ledger.domain.entry import AccountKind, Balance, Entry, EntryKind, LotId, Posting
from services.ledger.domain.refusals import JournalCorrupt


class HoldState(IntEnum):
    """Where a hold stands. The numbers are those of the contract and of the database."""

    OPEN = 1
    CAPTURED = 2
    RELEASED = 3


@dataclass(slots=True)
class Lot:
    """A tranche of points with one issuer, one earning time and one expiry.

    `undone` counts what reversals of its award have claimed so far, recovered from this lot or elsewhere.
    """

    id: LotId
    issuer: str
    earned_at: int
    expires_on: date | None
    awarded: int
    available: int = 0
    pending: int = 0
    held: int = 0
    undone: int = 0

    def usable(self, today: date) -> bool:
        """Whether its points may be spent on that day: the date is the last day of use."""
        return self.available > 0 and (self.expires_on is None or self.expires_on >= today)

    def due(self, today: date) -> bool:
        """Whether it has points that ended before that day."""
        return self.available > 0 and self.expires_on is not None and self.expires_on < today


@dataclass(slots=True)
class Hold:
    """Reserved points. `pins` are the lots in the order they were chosen."""

    seq: int
    partner: str
    points: int
    expires_at: int
    pins: tuple[tuple[LotId, int], ...]
    state: HoldState = HoldState.OPEN
    captured: int = 0

    def due(self, at: int) -> bool:
        return self.state is HoldState.OPEN and self.expires_at <= at


@dataclass(slots=True)
class Redemption:
    """Spent points. `takes` are the lots in the order they were consumed."""

    seq: int
    partner: str
    points: int
    takes: tuple[tuple[LotId, int], ...]
    refunded: int = 0


def _spending_order(lot: Lot) -> tuple[date, int, LotId]:
    return (lot.expires_on or date.max, lot.earned_at, lot.id)


@dataclass(slots=True)
class Wallet:
    """Balances, lots, holds and redemptions of one wallet."""

    bucket: int
    id: UUID
    balance: Balance = field(default_factory=Balance)
    lots: dict[LotId, Lot] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    redemptions: dict[int, Redemption] = field(default_factory=dict)

    def spendable(self, today: date) -> list[Lot]:
        """Lots in the order they are taken: first-expiring-first, then earlier earned, then by id."""
        return sorted((lot for lot in self.lots.values() if lot.usable(today)), key=_spending_order)

    def due_lots(self, today: date) -> list[Lot]:
        """Lots whose points ended before today, in spending order."""
        return sorted((lot for lot in self.lots.values() if lot.due(today)), key=_spending_order)

    def due_holds(self, at: int) -> list[Hold]:
        """Holds whose time is up, oldest first."""
        return sorted((hold for hold in self.holds.values() if hold.due(at)), key=lambda hold: hold.seq)

    def award_lots(self, seq: int) -> list[Lot]:
        """The lots that one award made, by line."""
        return sorted((lot for id_, lot in self.lots.items() if id_.seq == seq), key=lambda lot: lot.id)

    def fold(self, entry: Entry) -> None:
        """Take the entry in. Raises JournalCorrupt when it does not follow from the state: points would be negative."""
        self.balance = self.after(entry.postings, entry)
        for posting in entry.postings:
            self._move(posting, entry)
        match entry.kind:
            case EntryKind.HOLD:
                self.holds[entry.seq] = Hold(
                    entry.seq, entry.partner, entry.points, entry.hold_until or 0, _lots_to(entry, AccountKind.HELD)
                )
            case EntryKind.CAPTURE:
                hold = self.holds[entry.original or 0]
                hold.state, hold.captured = HoldState.CAPTURED, entry.points
                self._spent(entry)
            case EntryKind.RELEASE:
                self.holds[entry.original or 0].state = HoldState.RELEASED
            case EntryKind.REDEMPTION:
                self._spent(entry)
            case EntryKind.REVERSAL:
                self._undone(entry)
            case EntryKind.REFUND:
                self.redemptions[entry.original or 0].refunded += entry.points
            case EntryKind.AWARD | EntryKind.EXPIRY:
                pass

    def after(self, postings: Iterable[Posting], entry: Entry | None = None) -> Balance:
        """The balance once these postings are taken in."""
        available, pending, held, debt = self.balance
        for posting in postings:
            debit, credit = posting.debit.kind, posting.credit.kind
            available += posting.points * ((credit is AccountKind.AVAILABLE) - (debit is AccountKind.AVAILABLE))
            pending += posting.points * ((credit is AccountKind.PENDING) - (debit is AccountKind.PENDING))
            held += posting.points * ((credit is AccountKind.HELD) - (debit is AccountKind.HELD))
        if entry is not None and min(available, pending, held) < 0:
            raise JournalCorrupt(entry=entry.place, detail="the wallet's balance would be negative")
        return Balance(available, pending, held, debt)

    def _move(self, posting: Posting, entry: Entry) -> None:
        lot = self.lots.get(posting.lot)
        if lot is None:
            if posting.debit.kind is not AccountKind.ISSUED:
                raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.lot} is unknown")
            lot = Lot(posting.lot, posting.issuer, entry.occurred_at, posting.expires_on, awarded=posting.points)
            self.lots[posting.lot] = lot
        lot.expires_on = posting.expires_on
        for kind, points in ((posting.debit.kind, -posting.points), (posting.credit.kind, posting.points)):
            match kind:
                case AccountKind.AVAILABLE:
                    lot.available += points
                case AccountKind.PENDING:
                    lot.pending += points
                case AccountKind.HELD:
                    lot.held += points
                case _:
                    continue
        if min(lot.available, lot.pending, lot.held) < 0:
            raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.lot} would be negative")

    def _spent(self, entry: Entry) -> None:
        takes = _lots_to(entry, AccountKind.REDEEMED)
        self.redemptions[entry.seq] = Redemption(entry.seq, entry.partner, entry.points, takes)

    def _undone(self, entry: Entry) -> None:
        by_issuer = {lot.issuer: lot for lot in self.award_lots(entry.original or 0)}
        for posting in entry.postings:
            lot = by_issuer.get(posting.credit.party)
            if lot is None:
                raise JournalCorrupt(entry=entry.place, detail=f"{posting.credit} is no line of the award")
            lot.undone += posting.points
            if lot.undone > lot.awarded:
                raise JournalCorrupt(entry=entry.place, detail=f"more of lot {lot.id} is undone than was awarded")


def takes_from(postings: Iterable[Posting], kind: AccountKind) -> tuple[tuple[LotId, int], ...]:
    """The lots and points that these postings move into accounts of that kind, in order."""
    return tuple((posting.lot, posting.points) for posting in postings if posting.credit.kind is kind)


def _lots_to(entry: Entry, kind: AccountKind) -> tuple[tuple[LotId, int], ...]:
    return takes_from(entry.postings, kind)


def portions(lots: Iterable[tuple[Lot, int]], points: int) -> Iterator[tuple[Lot, int]]:
    """Take `points` from the lots in order, at most what each offers."""
    for lot, offered in lots:
        if not points:
            return
        taken = min(points, offered)
        if taken:
            yield lot, taken
        points -= taken
