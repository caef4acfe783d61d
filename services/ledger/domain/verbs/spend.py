"""Reserve points or spend them at once: the lots that end first are taken first."""

from __future__ import annotations

from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, HELD, Account, EntryKind, Posting, redeemed
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals import InsufficientPoints, TooManyLots
from services.ledger.domain.wallet import Wallet, portions
from services.ledger.domain.wish import HoldWish, Moment, RedeemWish
from shared.refusal import Refusal


def hold(wallet: Wallet, wish: HoldWish, now: Moment) -> Draft | Refusal:
    """Reserve points; the lots are chosen now."""
    postings = _taken(wallet, wish.points, now, HELD)
    if isinstance(postings, Refusal):
        return postings
    return Draft(
        EntryKind.HOLD,
        wish.points,
        postings,
        hold_until=now.at + wish.ttl,
        store=wish.store,
        terminal=wish.terminal,
    )


def redeem(wallet: Wallet, wish: RedeemWish, now: Moment) -> Draft | Refusal:
    """A hold and its capture in one entry."""
    postings = _taken(wallet, wish.points, now, redeemed(wish.partner))
    if isinstance(postings, Refusal):
        return postings
    return Draft(EntryKind.REDEMPTION, wish.points, postings, receipt=wish.receipt)


def _taken(wallet: Wallet, points: int, now: Moment, into: Account) -> tuple[Posting, ...] | Refusal:
    lots = wallet.spendable(now.today)
    free = sum(lot.available for lot in lots)
    if points > free:
        return InsufficientPoints(available=free, requested=points)
    within_reach = sum(lot.available for lot in lots[:MOST_LOTS])
    if points > within_reach:
        return TooManyLots(most_lots=MOST_LOTS, possible=within_reach)
    taken = portions(((lot, lot.available) for lot in lots), points)
    return tuple(Posting(AVAILABLE, into, part, lot.id, lot.issuer, lot.expires_on) for lot, part in taken)
