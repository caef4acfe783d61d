"""What an entry changes of a wallet beside balances and lots: holds, redemptions, what is undone, merges."""

from __future__ import annotations

from services.ledger.domain.entry import AccountKind, Counterpart, Entry, EntryKind
from services.ledger.domain.lots import Hold, HoldState, Redemption, takes_from
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.domain.wallet.contents import Contents

_ON_HOLDS = frozenset({EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.EXTENSION})


def take_in(wallet: Contents, entry: Entry) -> None:
    """What an entry changes beside balances and lots: an award nothing."""
    if entry.kind in _ON_HOLDS:
        _on_hold(wallet, entry)
    match entry.kind:
        case EntryKind.CAPTURE | EntryKind.REDEMPTION:
            _spent(wallet, entry)
        case EntryKind.REVERSAL:
            _undone(wallet, entry)
        case EntryKind.REFUND:
            _refunded(wallet, entry)
        case EntryKind.MERGE_OUT:
            wallet.merged_into = entry.counterpart
        case EntryKind.MERGE_IN:
            _merged(wallet, entry)
        case _:
            pass


def _on_hold(wallet: Contents, entry: Entry) -> None:
    if entry.kind is EntryKind.HOLD:
        pins = takes_from(entry.postings, AccountKind.HELD)
        wallet.holds[entry.seq] = Hold(entry.seq, entry.partner, entry.points, entry.hold_until or 0, pins)
    elif entry.kind is EntryKind.EXTENSION:
        wallet.holds[entry.original or 0].expires_at = entry.hold_until or 0
    else:
        _ended(wallet, entry)


def _ended(wallet: Contents, entry: Entry) -> None:
    """Of a hold, what was captured and what went back; it is closed once nothing is left."""
    hold = wallet.holds[entry.original or 0]
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


def _spent(wallet: Contents, entry: Entry) -> None:
    takes = takes_from(entry.postings, AccountKind.REDEEMED)
    wallet.redemptions[entry.seq] = Redemption(entry.seq, entry.partner, entry.points, takes)


def _refunded(wallet: Contents, entry: Entry) -> None:
    redemption = wallet.redemptions[entry.original or 0]
    redemption.refunded += entry.points
    if redemption.refunded > redemption.points:
        raise JournalCorrupt(entry=entry.place, detail="more is refunded than was spent")


def _undone(wallet: Contents, entry: Entry) -> None:
    lines = wallet.award_lots(entry.original or 0)
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


def _merged(wallet: Contents, entry: Entry) -> None:
    """The other wallet's request ids count here from now on. Of two merges into each other the later counts."""
    if entry.counterpart is None:
        raise JournalCorrupt(entry=entry.place, detail="it does not say which wallet was merged")
    other = Counterpart(entry.counterpart.bucket, entry.counterpart.wallet)
    if other not in wallet.aliases:
        wallet.aliases = (*wallet.aliases, other)
    if wallet.merged_into is not None and wallet.merged_into.wallet == other.wallet:
        wallet.merged_into = None
