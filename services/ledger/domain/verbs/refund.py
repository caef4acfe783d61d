"""Undo a redemption: back into the original lots, the last taken first, with their expiry."""

from __future__ import annotations

from datetime import timedelta

from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, EntryKind, LotId, Posting, redeemed
from services.ledger.domain.points import MOST
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals import (
    BalanceOutOfRange,
    NotARedemption,
    RefundExceedsRedemption,
)
from services.ledger.domain.wallet import Redemption, Wallet
from services.ledger.domain.wish import Moment, RefundWish
from shared.refusal import Refusal


def refund(wallet: Wallet, wish: RefundWish, now: Moment, programme: Programme) -> Draft | Refusal:
    """A lot past its date comes back with the programme's days of grace."""
    redemption = wallet.redemptions.get(wish.original)
    if redemption is None:
        return NotARedemption(entry=wish.place)
    left = redemption.points - redemption.refunded
    points = left if wish.points is None else wish.points
    if points > left or not points:
        return RefundExceedsRedemption(entry=wish.place, refundable=left, requested=points)
    if wallet.balance.most + points > MOST:
        return BalanceOutOfRange(most=MOST)
    grace = now.today + timedelta(days=programme.grace_days)
    postings = []
    for id_, part in _untaken(redemption, points):
        lot = wallet.lots[id_]
        expires_on = lot.expires_on
        if expires_on is not None and expires_on < now.today:
            expires_on = max(expires_on, grace)
        postings.append(Posting(redeemed(wish.partner), AVAILABLE, part, id_, lot.issuer, expires_on))
    return Draft(EntryKind.REFUND, points, tuple(postings), original=wish.original)


def _untaken(redemption: Redemption, points: int) -> list[tuple[LotId, int]]:
    """The part of the consumption, from its end, that lies behind what was refunded before."""
    skip, parts = redemption.refunded, []
    for id_, taken in reversed(redemption.takes):
        passed = min(skip, taken)
        skip -= passed
        part = min(points, taken - passed)
        if part:
            parts.append((id_, part))
            points -= part
    return parts
