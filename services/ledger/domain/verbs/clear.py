"""Make pending points available, because their time has come or because the partner says so."""

from __future__ import annotations

from collections.abc import Sequence

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import PENDING, EntryKind
from services.ledger.domain.lots import Lot
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.entries import NotAnAward, NothingPending
from services.ledger.domain.verbs.giving_back import given_back
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import ReleasePendingWish
from shared.refusal import Refusal


def clear(wallet: Wallet, case: Case) -> Draft | Refusal:
    """The clock's work: what was pending until now, of one unit."""
    due = wallet.due_pending(case.now.at)
    return _cleared(wallet, due, case) if due else NothingDue()


def release_pending(wallet: Wallet, wish: ReleasePendingWish, case: Case) -> Draft | Refusal:
    """All that is still pending of an award."""
    if case.original is None or case.original.kind is not EntryKind.AWARD:
        return NotAnAward(entry=wish.place)
    pending = [lot for lot in wallet.award_lots(wish.original) if lot.pending]
    if not pending:
        return NothingPending(entry=wish.place)
    return _cleared(wallet, pending, case, original=wish.original)


def _cleared(wallet: Wallet, lots: Sequence[Lot], case: Case, original: int | None = None) -> Draft:
    unit = min(lot.unit for lot in lots)
    if original is None:  # by time: one unit for each entry; by action: the whole award at once
        lots = [lot for lot in lots if lot.unit is unit]
    parts = [(lot, lot.pending) for lot in lots[:MOST_LOTS]]
    points = sum(pending for lot, pending in parts if lot.unit is unit)
    postings = given_back(wallet, PENDING, parts, case.now)
    return Draft(EntryKind.PENDING_RELEASE, points, postings, original=original, unit=unit)
