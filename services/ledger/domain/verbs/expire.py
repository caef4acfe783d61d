"""End points whose last day of use is over."""

from __future__ import annotations

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, EntryKind, Posting, expired
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.wallet import Wallet
from shared.refusal import Refusal


def expire(wallet: Wallet, case: Case) -> Draft | Refusal:
    """The due lots of one unit, as many as an entry takes; running it once more than needed finds nothing."""
    due = wallet.due_lots(case.now)
    if not due:
        return NothingDue()
    unit = due[0].unit
    postings = tuple(
        Posting(AVAILABLE, expired(lot.issuer), lot.available, lot.id, lot.issuer, lot.expires_on, unit)
        for lot in [lot for lot in due if lot.unit is unit][:MOST_LOTS]
    )
    return Draft(EntryKind.EXPIRY, sum(posting.points for posting in postings), postings, unit=unit)
