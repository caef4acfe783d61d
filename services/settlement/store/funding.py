"""What the clearing account can pay: pay files wait until collections, or the operator's own money, cover them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, text

# Money that came in, less what left or may have left, less what is owed to those whose payment failed or was carried.
# What the operator left there it left to pay from: points that were billed when awarded are paid for when spent.
_FREE = text("""
SELECT currency, sum(minor)::bigint AS minor FROM (
    SELECT currency, amount_minor AS minor FROM settlement.instructions
        WHERE kind = 'COLLECT' AND state IN ('BOOKED', 'FINAL')
    UNION ALL
    SELECT i.currency, -i.amount_minor FROM settlement.instructions i
        LEFT JOIN settlement.payment_files f ON f.msg_id = i.msg_id
        WHERE i.kind = 'PAY' AND (i.state IN ('SENT', 'UNKNOWN', 'ACCEPTED', 'BOOKED', 'FINAL', 'REJECTED', 'RETURNED')
            OR (i.state = 'FROZEN' AND f.state = 'RELEASED') OR (i.state = 'FROZEN' AND f.replaces IS NOT NULL)
            OR (i.state = 'FROZEN' AND i.supersedes IS NOT NULL))
    UNION ALL
    SELECT currency, -minor FROM settlement.openings
        WHERE taken_by IS NULL AND minor > 0 AND partner <> 'operator' AND partner NOT LIKE '@%'
    UNION ALL
    SELECT currency, amount_minor FROM settlement.prefundings
) AS moves GROUP BY currency
""")
# Pay files of one currency take turns: two releases must not spend the same money.
_LOCK = text("SELECT pg_advisory_xact_lock(8, 0)")


class Shortage(NamedTuple):
    """What a file waits for: money (FUNDING_SHORT), or that what stops its currency is over."""

    msg_id: str
    currency: str
    missing_minor: int


def lock(connection: Connection) -> None:
    """From here to the end of the transaction nobody else releases a pay file."""
    connection.execute(_LOCK)


def free(connection: Connection) -> dict[str, int]:
    """By currency, what no payment has a claim on, in minor units."""
    return {row.currency: row.minor for row in connection.execute(_FREE)}
