"""Undo a redemption: back into the original lots, the last taken first, with their expiry."""

from __future__ import annotations

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, EntryKind, Posting, redeemed
from services.ledger.domain.lots import within
from services.ledger.domain.moment import days_after
from services.ledger.domain.points import MOST
from services.ledger.domain.refusals.awarding import BalanceOutOfRange
from services.ledger.domain.refusals.entries import NotARedemption, RefundExceedsRedemption
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import RefundWish
from shared.refusal import Refusal


def refund(wallet: Wallet, wish: RefundWish, case: Case) -> Draft | Refusal:
    """A lot past its date comes back with the programme's days of grace."""
    redemption = wallet.redemptions.get(wish.original)
    if redemption is None:
        return NotARedemption(entry=wish.place)
    left = redemption.points - redemption.refunded
    points = left if wish.points is None else wish.points
    if points > left or not points:
        return RefundExceedsRedemption(entry=wish.place, refundable=left, requested=points)
    unit = wallet.lots[redemption.takes[0][0]].unit
    if wallet.of(unit).most + points > MOST:
        return BalanceOutOfRange(most=MOST)
    grace = days_after(case.now.today, case.programme.grace_days)
    postings = []
    for id_, part in within(reversed(redemption.takes), redemption.refunded, points):
        lot = wallet.lots[id_]
        last_day = wallet.last_day(lot, case.now)
        over = last_day is not None and last_day < case.now.today
        expires_on = max(lot.expires_on or grace, grace) if over else lot.expires_on
        postings.append(Posting(redeemed(wish.partner), AVAILABLE, part, id_, lot.issuer, expires_on, unit))
    return Draft(EntryKind.REFUND, points, tuple(postings), original=wish.original, unit=unit)
