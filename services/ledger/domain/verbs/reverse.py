"""Undo an award: what is left of its own lots first, then other available points; the rest is written off."""

from __future__ import annotations

from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, Entry, EntryKind, LotId, Posting, issued, written_off
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals import NotAnAward, ReversalExceedsAward, TooManyLots
from services.ledger.domain.wallet import Lot, Wallet
from services.ledger.domain.wish import Moment, ReverseWish
from shared.refusal import Refusal


def reverse(wallet: Wallet, wish: ReverseWish, original: Entry, now: Moment) -> Draft | Refusal:
    """`original` is the entry that the wish names; its partner was checked."""
    if original.kind is not EntryKind.AWARD:
        return NotAnAward(entry=wish.place)
    own = {lot.issuer: lot for lot in wallet.award_lots(wish.original)}
    wanted = {line.issuer: line.points for line in wish.lines} or {
        issuer: lot.awarded - lot.undone for issuer, lot in own.items() if lot.awarded > lot.undone
    }
    for issuer, points in wanted.items():
        left = own[issuer].awarded - own[issuer].undone if issuer in own else 0
        if points > left:
            return ReversalExceedsAward(entry=wish.place, issuer=issuer, reversible=left, requested=points)
    if not wanted:
        issuer = next(iter(own))
        return ReversalExceedsAward(entry=wish.place, issuer=issuer, reversible=0, requested=0)
    postings = _taken_back(wallet, own, wanted, now)
    if len(postings) > MOST_LOTS:
        return TooManyLots(most_lots=MOST_LOTS, possible=sum(posting.points for posting in postings[:MOST_LOTS]))
    return Draft(EntryKind.REVERSAL, sum(wanted.values()), tuple(postings), original=wish.original)


def _taken_back(wallet: Wallet, own: dict[str, Lot], wanted: dict[str, int], now: Moment) -> list[Posting]:
    """Every line takes from its own lot before any takes from another's."""
    spending_order = wallet.spendable(now.today)
    free: dict[LotId, int] = {lot.id: lot.available for lot in spending_order}
    missing = dict(wanted)
    postings: list[Posting] = []

    def take(issuer: str, lot: Lot) -> None:
        part = min(missing[issuer], free.get(lot.id, 0))
        if part:
            free[lot.id] -= part
            missing[issuer] -= part
            postings.append(Posting(AVAILABLE, issued(issuer), part, lot.id, lot.issuer, lot.expires_on))

    for issuer in wanted:
        take(issuer, own[issuer])
    for issuer in wanted:
        for lot in spending_order:
            take(issuer, lot)
    for issuer, points in missing.items():
        if points:
            lot = own[issuer]
            postings.append(Posting(written_off(issuer), issued(issuer), points, lot.id, lot.issuer, lot.expires_on))
    return postings
