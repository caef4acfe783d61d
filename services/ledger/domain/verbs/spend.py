"""Reserve points or spend them at once: the lots that end first are taken first."""

from __future__ import annotations

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, HELD, Account, EntryKind, Posting, Unit, redeemed
from services.ledger.domain.lots import Lot, portions
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals.spending import InsufficientPoints, RedemptionLimit, TooManyLots
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import HoldWish, RedeemWish
from shared.refusal import Refusal


def hold(wallet: Wallet, wish: HoldWish, case: Case) -> Draft | Refusal:
    """Reserve points; the lots are chosen now."""
    postings = _allowed(wallet, wish, case, HELD)
    if isinstance(postings, Refusal):
        return postings
    return Draft(
        EntryKind.HOLD,
        wish.points,
        postings,
        hold_until=case.now.at + wish.ttl,
        store=wish.store,
        terminal=wish.terminal,
        unit=wish.unit,
    )


def redeem(wallet: Wallet, wish: RedeemWish, case: Case) -> Draft | Refusal:
    """A hold and its capture in one entry."""
    postings = _allowed(wallet, wish, case, redeemed(wish.partner))
    if isinstance(postings, Refusal):
        return postings
    return Draft(EntryKind.REDEMPTION, wish.points, postings, receipt=wish.receipt, unit=wish.unit)


def _allowed(wallet: Wallet, wish: HoldWish | RedeemWish, case: Case, into: Account) -> tuple[Posting, ...] | Refusal:
    """The postings, within what the acceptor's contract allows at once."""
    policy = case.terms.of(wish.partner)
    free = wallet.free(wish.unit, case.now)
    most = policy.redeemable(free, wish.receipt_points)
    if wish.points > free:
        return InsufficientPoints(available=free, requested=wish.points, max_redeemable_points=most)
    if wish.points > most or wish.points % policy.redemption_step or wish.points < policy.redemption_minimum:
        return RedemptionLimit(
            requested=wish.points,
            max_redeemable_points=most,
            step=policy.redemption_step,
            minimum=policy.redemption_minimum,
        )
    return taken(wallet, wish.points, wish.unit, case, into)


def taken(wallet: Wallet, points: int, unit: Unit, case: Case, into: Account) -> tuple[Posting, ...] | Refusal:
    """That many available points, in spending order."""
    parts = chosen(wallet.spendable(case.now, unit, oldest_first=case.programme.oldest_first), points)
    if isinstance(parts, Refusal):
        return parts
    return tuple(Posting(AVAILABLE, into, part, lot.id, lot.issuer, lot.expires_on, unit) for lot, part in parts)


def chosen(lots: list[Lot], points: int) -> list[tuple[Lot, int]] | Refusal:
    """The lots that give these points, in order, as far as they reach and one entry can hold them."""
    free = sum(lot.available for lot in lots)
    if points > free:
        return InsufficientPoints(available=free, requested=points, max_redeemable_points=free)
    within_reach = sum(lot.available for lot in lots[:MOST_LOTS])
    if points > within_reach:
        return TooManyLots(most_lots=MOST_LOTS, possible=within_reach)
    return list(portions(((lot, lot.available) for lot in lots), points))
