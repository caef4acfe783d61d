"""Ledger, statements and bank side by side, from their rows."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.store import breaks
from services.settlement.store.batches.rows import Batch

_WINDOWS = text("""
SELECT w.number,
    (SELECT sum(s) FROM unnest(w.to_seqs) AS s) - coalesce((SELECT sum(s) FROM unnest(w.from_seqs) AS s), 0) AS ledger,
    (SELECT coalesce(sum(c.entries), 0) FROM settlement.window_counts c WHERE c.window_number = w.number) AS counted
FROM settlement.windows w
WHERE w.number IN (SELECT window_number FROM settlement.batch_slices WHERE batch = :batch AND freed_at IS NULL)
ORDER BY w.number
""")
_PARTNERS = text("""
WITH stated AS (
    SELECT n.partner, n.currency, sum(n.net_minor) AS minor FROM settlement.nets n
    JOIN settlement.batch_slices s ON s.window_number = n.window_number AND s.currency IN (n.currency, '')
    WHERE s.batch = :batch AND s.freed_at IS NULL AND n.partner <> 'operator' GROUP BY n.partner, n.currency
), instructed AS (
    SELECT partner, currency, sum(CASE WHEN kind = 'PAY' THEN amount_minor ELSE -amount_minor END) AS minor
    FROM settlement.instructions
    WHERE batch = :batch AND state NOT IN ('CANCELLED', 'SUPERSEDED', 'CARRIED') GROUP BY partner, currency
), booked AS (
    SELECT i.partner, i.currency, sum(
        CASE WHEN i.kind = 'PAY' THEN i.amount_minor ELSE -i.amount_minor END
        * CASE WHEN m.verdict = 'BOOKED' THEN 1 ELSE -1 END
    ) AS minor
    FROM settlement.bank_matches m JOIN settlement.instructions i ON i.name = m.instruction
    WHERE i.batch = :batch AND m.stated GROUP BY i.partner, i.currency
)
SELECT partner, currency, coalesce(s.minor, 0) AS stated, coalesce(i.minor, 0) AS instructed,
    coalesce(b.minor, 0) AS booked
FROM stated s FULL JOIN instructed i USING (partner, currency) FULL JOIN booked b USING (partner, currency)
ORDER BY partner, currency
""")


class OfWindow(NamedTuple):
    """Entries between a window's checkpoints, and entries counted."""

    number: int
    ledger: int
    counted: int


class OfPartner(NamedTuple):
    """Signed minor units: positive, the partner gets it. What is stated may be converted or carried by the batch."""

    partner: str
    currency: str
    stated_minor: int
    instructed_minor: int
    booked_minor: int


class ThreeWays(NamedTuple):
    """All of it for one batch."""

    windows: tuple[OfWindow, ...]
    partners: tuple[OfPartner, ...]
    breaks: int


def of_batch(connection: Connection, batch: Batch) -> ThreeWays:
    """Nothing is set right here: what differs is shown."""
    wanted = {"batch": batch.number}
    windows = [OfWindow(row.number, int(row.ledger), int(row.counted)) for row in connection.execute(_WINDOWS, wanted)]
    partners = [
        OfPartner(row.partner, row.currency, int(row.stated), int(row.instructed), int(row.booked))
        for row in connection.execute(_PARTNERS, wanted)
    ]
    return ThreeWays(tuple(windows), tuple(partners), breaks.unresolved(connection, batch.number))
