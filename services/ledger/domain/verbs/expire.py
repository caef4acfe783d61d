"""End points whose last day of use is over."""

from __future__ import annotations

from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, EntryKind, Posting, expired
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals import NothingDue
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import Moment
from shared.refusal import Refusal


def expire(wallet: Wallet, now: Moment) -> Draft | Refusal:
    """The due lots of the wallet, as many as an entry takes; running it once more than needed finds nothing."""
    due = wallet.due_lots(now.today)[:MOST_LOTS]
    if not due:
        return NothingDue()
    postings = tuple(
        Posting(AVAILABLE, expired(lot.issuer), lot.available, lot.id, lot.issuer, lot.expires_on) for lot in due
    )
    return Draft(EntryKind.EXPIRY, sum(posting.points for posting in postings), postings)
