"""Stops: breaks that keep back whatever would be released in their currency, other currencies go on.

Whoever releases asks in the transaction of the release itself. A break that is found at the same moment in another
transaction comes after that release, as if the bank had said it a little later; what was released and not begun to be
sent is asked about again in the transaction that begins the send.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from services.settlement.domain.breaks import STOPS, BreakReason
from services.settlement.domain.clearing import ClearingMismatch, ClearingOverdrawn
from services.settlement.store import breaks
from services.settlement.store.breaks import Break
from shared.refusal import Refusal

_REFUSALS: dict[BreakReason, type[Refusal]] = {
    BreakReason.CLEARING_MISMATCH: ClearingMismatch,
    BreakReason.CLEARING_OVERDRAWN: ClearingOverdrawn,
}


def standing(connection: Connection) -> list[Break]:
    """All that stop releases now, oldest first."""
    return [one for one in breaks.pending(connection, STOPS) if one.stops_releases]


def of(connection: Connection, currencies: Collection[str]) -> list[Break]:
    """Those that concern these currencies."""
    return [stop for stop in standing(connection) if stop.currency in currencies]


def check(connection: Connection, currencies: Collection[str]) -> None:
    """For whoever is about to release or send. Raises ClearingMismatch, ClearingOverdrawn: the oldest stop."""
    for stop in of(connection, currencies):
        raise _REFUSALS[stop.reason](
            currency=stop.currency,
            where=stop.where,
            expected_minor=stop.expected_minor,
            found_minor=stop.found_minor,
            difference_minor=stop.amount_minor,
            name=stop.name,
        )
