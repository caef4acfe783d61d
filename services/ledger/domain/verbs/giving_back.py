"""Points that return to their lots; where a lot's last day passed meanwhile, they end here and now."""

from __future__ import annotations

from collections.abc import Iterable

from services.ledger.domain.entry import AVAILABLE, Account, Posting, expired
from services.ledger.domain.lots import Lot
from services.ledger.domain.moment import Moment
from services.ledger.domain.wallet import Wallet


def given_back(wallet: Wallet, source: Account, parts: Iterable[tuple[Lot, int]], now: Moment) -> tuple[Posting, ...]:
    """From HELD or PENDING into what can be spent."""
    return tuple(
        Posting(
            source,
            expired(lot.issuer) if wallet.is_over(lot, now) else AVAILABLE,
            points,
            lot.id,
            lot.issuer,
            lot.expires_on,
            lot.unit,
        )
        for lot, points in parts
    )
