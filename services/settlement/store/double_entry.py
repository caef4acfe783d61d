"""The books from the rows: lines of closed windows, conversions of approved batches, lines of the bank."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection, text

from services.settlement.domain.double_entry import (
    SUSPENSE,
    BookEntry,
    of_bank_line,
    of_conversion,
    of_line,
    of_prefunding,
)
from services.settlement.store import books, prefundings
from shared.money import edition

_WINDOWS = text("""
SELECT number, closed_at::date AS day, currency_edition FROM settlement.windows
WHERE state IN ('CLOSED', 'SETTLED') AND number BETWEEN :first AND :last ORDER BY number
""")
_BATCHES = text("""
SELECT DISTINCT b.name, b.number, b.due_on, c.content FROM settlement.batches b
JOIN settlement.batch_slices s ON s.batch = b.number AND s.freed_at IS NULL
JOIN settlement.batch_contents c ON c.batch = b.number AND c.take = b.take
WHERE b.state IN ('APPROVED', 'RELEASING', 'IN_PAYMENT', 'PARTIALLY_SETTLED', 'SETTLED')
    AND s.window_number BETWEEN :first AND :last
ORDER BY b.number
""")
_MATCHED = text("""
SELECT l.id, l.booked_on, l.currency, l.is_credit, i.partner, i.amount_minor, i.name
FROM settlement.bank_lines l
JOIN settlement.bank_matches m ON m.line = l.id JOIN settlement.instructions i ON i.name = m.instruction
WHERE l.stated AND i.batch = ANY(:batches) ORDER BY l.id, i.name
""")
_UNMATCHED = text("""
SELECT id, booked_on, currency, is_credit, amount_minor FROM settlement.bank_lines
WHERE stated AND outcome <> 'MATCHED' ORDER BY id
""")


def entries(connection: Connection, first: int, last: int) -> Iterator[BookEntry]:
    """The books of the windows from `first` to `last`, of the batches that settle them and of what the bank booked.

    Lines of the bank that are nobody's stand on `suspense`, whenever they came; the operator's own money leaves it.
    """
    for window in connection.execute(_WINDOWS, {"first": first, "last": last}):
        with edition(window.currency_edition):
            for number, line in enumerate(books.lines_of_window(connection, window.number), start=1):
                yield from of_line(line, window.day, f"windows/{window.number}/lines/{number}")
    batches = list(connection.execute(_BATCHES, {"first": first, "last": last}))
    for batch in batches:
        for row in json.loads(bytes(batch.content))["fx"].get("conversions", []):
            partner, currency, minor, target, target_minor, _ = row
            yield from of_conversion(batch.due_on, batch.name, partner, (currency, minor), (target, target_minor))
    for row in connection.execute(_MATCHED, {"batches": [batch.number for batch in batches]}):
        signed = row.amount_minor if row.is_credit else -row.amount_minor
        yield from of_bank_line(row.booked_on, f"bankLines/{row.id}", f"partner/{row.partner}", row.currency, signed)
    for row in connection.execute(_UNMATCHED):
        signed = row.amount_minor if row.is_credit else -row.amount_minor
        yield from of_bank_line(row.booked_on, f"bankLines/{row.id}", SUSPENSE, row.currency, signed)
    for one in prefundings.every(connection):
        yield from of_prefunding(one.created_at.date(), one.name, one.currency, one.amount_minor)
