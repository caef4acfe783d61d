"""What the postings of an entry move in a wallet's lots."""

from __future__ import annotations

from services.ledger.domain.entry import AccountKind, Entry, Posting
from services.ledger.domain.lots import Lot, lot_made_by
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.domain.wallet.contents import Contents

_SOURCES = frozenset({AccountKind.ISSUED, AccountKind.ADJUSTED, AccountKind.IN_TRANSIT})
# Named once more, because to look a member up in its enum costs more than to compare it.
_AVAILABLE, _PENDING, _HELD, _OWED = AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD, AccountKind.OWED


def move(wallet: Contents, posting: Posting, entry: Entry) -> None:
    debit, credit = posting.debit.kind, posting.credit.kind
    points = posting.points
    lot = wallet.lots.get(posting.lot) or _made(wallet, posting, entry)
    if lot.issuer != posting.issuer or lot.unit is not posting.unit:
        raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.lot} is of {lot.issuer}, in {lot.unit.name}")
    lot.expires_on = posting.expires_on
    if debit <= _OWED:
        _add(wallet, debit, -points, lot, posting, entry)
    if credit <= _OWED:
        _add(wallet, credit, points, lot, posting, entry)
    if lot.available < 0 or lot.pending < 0 or lot.held < 0 or lot.owed < 0:
        raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.lot} would be negative")


def _add(wallet: Contents, kind: AccountKind, points: int, lot: Lot, posting: Posting, entry: Entry) -> None:
    if kind is _AVAILABLE:
        lot.available += points
    elif kind is _PENDING:
        lot.pending += points
    elif kind is _HELD:
        lot.held += points
    else:
        _settling(wallet, posting, entry).owed -= points


def _made(wallet: Contents, posting: Posting, entry: Entry) -> Lot:
    """The new lot of a posting that makes one. A debt that arrives comes as a lot without points."""
    debit, credit = posting.debit.kind, posting.credit.kind
    if debit not in _SOURCES and not (debit is AccountKind.OWED and credit is AccountKind.IN_TRANSIT):
        raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.lot} is unknown")
    lot = wallet.lots[posting.lot] = lot_made_by(posting, entry.occurred_at)
    if lot.idle_days is not None:
        wallet.idle_days = min(lot.idle_days, wallet.idle_days or lot.idle_days)
        wallet.active_at = lot.earned_at if wallet.active_at is None else wallet.active_at
    return lot


def _settling(wallet: Contents, posting: Posting, entry: Entry) -> Lot:
    """The award lot whose reversal or debt a posting settles."""
    lot = wallet.lots.get(posting.for_lot or posting.lot)
    if lot is None:
        raise JournalCorrupt(entry=entry.place, detail=f"lot {posting.for_lot} is unknown")
    return lot
