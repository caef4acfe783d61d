"""Stops: breaks that keep back whatever would be released in their currency, other currencies go on.

Whoever releases asks in the transaction of the release itself. A break that is found at the same moment in another
transaction comes after that release, as if the bank had said it a little later; what was released and not begun to be
sent is asked about again in the transaction that begins the send.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.breaks import STOPS, BreakReason
from services.settlement.domain.clearing import ClearingMismatch, ClearingOverdrawn
from shared.refusal import Refusal

_STANDING = text("""
SELECT name, reason, subject, state, currency, account, amount_minor, expected_minor, found_minor, detail
FROM settlement.breaks WHERE reason = ANY(:reasons) AND state IN ('OPEN', 'EXPLAINED') ORDER BY number
""")
_REASONS = sorted(reason.value for reason in STOPS)
_REFUSALS: dict[BreakReason, type[Refusal]] = {
    BreakReason.CLEARING_MISMATCH: ClearingMismatch,
    BreakReason.CLEARING_OVERDRAWN: ClearingOverdrawn,
}


class Stop(NamedTuple):
    """Why nothing is released in a currency. `where` is an account or a batch; amounts are signed minor units."""

    name: str
    reason: BreakReason
    currency: str
    where: str
    amount_minor: int
    expected_minor: int
    found_minor: int
    detail: str


def standing(connection: Connection) -> list[Stop]:
    """All that stop releases now, oldest first."""
    rows = connection.execute(_STANDING, {"reasons": _REASONS})
    return [
        Stop(
            row.name,
            reason,
            row.currency,
            row.account or row.subject.rpartition("/")[0],
            int(row.amount_minor),
            int(row.expected_minor),
            int(row.found_minor),
            row.detail,
        )
        for row in rows
        if row.state in STOPS[reason := BreakReason(row.reason)]
    ]


def of(connection: Connection, currencies: Collection[str]) -> list[Stop]:
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
