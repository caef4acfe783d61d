"""Correct by hand: give points of an issuer as a new lot, or take that issuer's points."""

from __future__ import annotations

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, PLAIN, EntryKind, LotId, LotTerms, Posting, adjusted
from services.ledger.domain.points import MOST
from services.ledger.domain.refusals.adjustments import AdjustmentAboveLimit, AdjustmentNeedsSecondPerson
from services.ledger.domain.refusals.awarding import AlreadyPastExpiry, BalanceOutOfRange
from services.ledger.domain.verbs.spend import chosen
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import AdjustWish
from shared.refusal import Refusal


def adjust(wallet: Wallet, wish: AdjustWish, case: Case) -> Draft | Refusal:
    """Whoever proposed it may not approve it, and the programme's limit holds for both."""
    if wish.proposed_by == wish.approved_by:
        return AdjustmentNeedsSecondPerson(proposed_by=wish.proposed_by)
    limit = case.programme.adjustment_points
    if limit and wish.points > limit:
        return AdjustmentAboveLimit(limit=limit, requested=wish.points)
    postings = _taken(wallet, wish, case) if wish.taking else _given(wallet, wish, case)
    if isinstance(postings, Refusal):
        return postings
    return Draft(
        EntryKind.ADJUSTMENT,
        wish.points,
        postings,
        unit=wish.unit,
        reason=wish.reason,
        proposed_by=wish.proposed_by,
        approved_by=wish.approved_by,
    )


def _given(wallet: Wallet, wish: AdjustWish, case: Case) -> tuple[Posting, ...] | Refusal:
    if wallet.of(wish.unit).most + wish.points > MOST:
        return BalanceOutOfRange(most=MOST)
    earned_at = case.now.at if wish.occurred_at is None else wish.occurred_at
    expires_on = wish.expires_on or case.programme.last_day_of_use(earned_at)
    if expires_on and expires_on < case.now.today:
        return AlreadyPastExpiry(field="expires_on", expires_on=expires_on, today=case.now.today)
    idle_days = case.programme.idle_days if wish.expires_on is None else None
    terms = PLAIN if idle_days is None else LotTerms(idle_days=idle_days)
    lot = LotId(case.seq, 0)
    return (
        Posting(adjusted(wish.issuer), AVAILABLE, wish.points, lot, wish.issuer, expires_on, wish.unit, None, terms),
    )


def _taken(wallet: Wallet, wish: AdjustWish, case: Case) -> tuple[Posting, ...] | Refusal:
    order = wallet.spendable(case.now, wish.unit, oldest_first=case.programme.oldest_first)
    parts = chosen([lot for lot in order if lot.issuer == wish.issuer], wish.points)
    if isinstance(parts, Refusal):
        return parts
    sink = adjusted(wish.issuer)
    return tuple(Posting(AVAILABLE, sink, part, lot.id, lot.issuer, lot.expires_on, wish.unit) for lot, part in parts)
