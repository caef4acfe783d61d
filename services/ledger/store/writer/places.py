"""Entries by their place. Landmarks tell which months to ask; what is not found there is looked for everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import psycopg

from services.ledger.domain.entry import Entry, Place
from services.ledger.store.rows import Row, entries_of
from services.ledger.store.writer.asking import asking
from services.ledger.store.writer.statements import ENTRY_COLUMNS, POSTING_COLUMNS
from services.ledger.store.writer.working_set import place_columns
from shared.db.columns import Instants
from shared.instants import micros

POSTED_AT = [column.strip() for column in ENTRY_COLUMNS.split(",")].index("e.posted_at")
"""Where a row of ENTRY_COLUMNS says when it was posted."""

_BEGIN, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

# Of each place, the times of the nearest landmarks before and after it.
BETWEEN = """
SELECT l.posted_at, n.posted_at
FROM unnest(%b, %b) WITH ORDINALITY AS asked (bucket, seq, position)
LEFT JOIN LATERAL (
    SELECT posted_at FROM ledger.landmarks
    WHERE bucket = asked.bucket AND seq <= asked.seq ORDER BY seq DESC LIMIT 1
) l ON true
LEFT JOIN LATERAL (
    SELECT posted_at FROM ledger.landmarks
    WHERE bucket = asked.bucket AND seq > asked.seq ORDER BY seq LIMIT 1
) n ON true
ORDER BY asked.position
"""
# The bounds of all together keep months out of the plan, those of each place out of its run.
_ENTRIES_BETWEEN = f"""
SELECT {ENTRY_COLUMNS}
FROM unnest(%b, %b, %b, %b) AS asked (bucket, seq, since, until)
JOIN ledger.entries e ON e.bucket = asked.bucket AND e.seq = asked.seq
    AND e.posted_at BETWEEN asked.since AND asked.until AND e.posted_at BETWEEN %s AND %s
"""
_POSTINGS_BETWEEN = f"""
SELECT {POSTING_COLUMNS}
FROM unnest(%b, %b, %b, %b) AS asked (bucket, seq, since, until)
JOIN ledger.postings p ON p.bucket = asked.bucket AND p.seq = asked.seq
    AND p.posted_at BETWEEN asked.since AND asked.until AND p.posted_at BETWEEN %s AND %s
ORDER BY p.bucket, p.seq, p.line
"""
_ENTRIES = f"""
SELECT {ENTRY_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.entries e ON e.bucket = asked.bucket AND e.seq = asked.seq
"""
_POSTINGS = f"""
SELECT {POSTING_COLUMNS}
FROM unnest(%b, %b) AS asked (bucket, seq)
JOIN ledger.postings p ON p.bucket = asked.bucket AND p.seq = asked.seq
ORDER BY p.bucket, p.seq, p.line
"""


def entries_at(cursor: psycopg.Cursor[Row], places: Iterable[Place]) -> dict[Place, Entry]:
    """The entries at these places, those that exist."""
    asked = sorted(set(places))
    if not asked:
        return {}
    return entries_between(cursor.connection, asked, cursor.execute(BETWEEN, place_columns(asked)).fetchall())


def entries_between(
    connection: psycopg.Connection[Row], asked: Sequence[Place], bounds: Sequence[Row]
) -> dict[Place, Entry]:
    """The entries at these places, those that exist. `bounds` is what BETWEEN answered about them."""
    since = [before or _BEGIN for before, _ in bounds]
    until = [after or _END for _, after in bounds]
    if min(since) == _BEGIN and max(until) == _END:  # of a young ledger, or of one that nobody keeps
        return _everywhere(connection, asked)
    with asking(connection) as questions:
        parameters = _parameters(asked, since, until)
        rows, postings = questions.ask(_ENTRIES_BETWEEN, parameters), questions.ask(_POSTINGS_BETWEEN, parameters)
    found = {entry.place: entry for entry in entries_of(rows.fetchall(), postings.fetchall())}
    missing = [place for place in asked if place not in found]
    return found | _everywhere(connection, missing) if missing else found


def with_postings(cursor: psycopg.Cursor[Row], rows: Sequence[Row]) -> list[Entry]:
    """The entries of these rows of ENTRY_COLUMNS, in their order. A posting is as old as its entry."""
    if not rows:
        return []
    times = [row[POSTED_AT] for row in rows]
    places = [Place(row[0], row[1]) for row in rows]
    postings = cursor.execute(_POSTINGS_BETWEEN, _parameters(places, times, times)).fetchall()
    return entries_of(rows, postings)


def _everywhere(connection: psycopg.Connection[Row], asked: Sequence[Place]) -> dict[Place, Entry]:
    with asking(connection) as questions:
        columns = place_columns(asked)
        rows, postings = questions.ask(_ENTRIES, columns), questions.ask(_POSTINGS, columns)
    return {entry.place: entry for entry in entries_of(rows.fetchall(), postings.fetchall())}


def _parameters(asked: Sequence[Place], since: Sequence[datetime], until: Sequence[datetime]) -> list[object]:
    times = [Instants([micros(time) for time in since]), Instants([micros(time) for time in until])]
    return [*place_columns(asked), *times, min(since), max(until)]
