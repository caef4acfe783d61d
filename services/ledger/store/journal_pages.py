"""Pages of the journal: the next entries behind a place, of one bucket or of many, each with its postings.

Of many buckets that have a little each, all are asked at once: a reader that follows the journal finds an entry or two
in most of them, and a question for each bucket would cost tills more than the entries do. What is asked for at once has
a bound, so that whoever reads a long journal does not keep those from the interpreter who post to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import psycopg

from services.ledger.domain.entry import Entry
from services.ledger.store.rows import Row, entries_of
from services.ledger.store.writer.places import POSTED_AT
from services.ledger.store.writer.statements import ENTRY_COLUMNS, POSTING_COLUMNS
from shared.db.columns import Instants, Int4s, Int8s
from shared.instants import micros

_AT_ONCE = 256
"""Entries that one question to several buckets may find."""

# LATERAL with an order of its own is a walk along the key for each bucket, whatever the statistics say.
_ENTRIES = f"""
SELECT {ENTRY_COLUMNS}
FROM unnest(%b, %b, %b) AS asked (bucket, seq, most) CROSS JOIN LATERAL (
    SELECT * FROM ledger.entries e WHERE e.bucket = asked.bucket AND e.seq > asked.seq ORDER BY e.seq LIMIT asked.most
) e ORDER BY e.bucket, e.seq
"""
# A posting is as old as its entry. The bounds of all keep months out of the plan, those of each bucket out of its run.
_POSTINGS = f"""
SELECT {POSTING_COLUMNS}
FROM unnest(%b, %b, %b, %b, %b) AS asked (bucket, first, last, since, until) CROSS JOIN LATERAL (
    SELECT * FROM ledger.postings p
    WHERE p.bucket = asked.bucket AND p.seq BETWEEN asked.first AND asked.last
        AND p.posted_at BETWEEN asked.since AND asked.until AND p.posted_at BETWEEN %s AND %s
    ORDER BY p.seq, p.line
) p ORDER BY p.bucket, p.seq, p.line
"""


def journal_pages(cursor: psycopg.Cursor[Row], after: Mapping[int, int], most: Mapping[int, int]) -> list[Entry]:
    """The next entries behind the seq `after` of each bucket, at most so many of it, by bucket and seq."""
    found: list[Entry] = []
    for buckets in _together(most):
        found += _read(cursor, buckets, [after[bucket] for bucket in buckets], [most[bucket] for bucket in buckets])
    return found


def journal_page(cursor: psycopg.Cursor[Row], bucket: int, seq: int, limit: int) -> list[Entry]:
    """The next entries of one bucket."""
    return _read(cursor, [bucket], [seq], [limit])


def journal(cursor: psycopg.Cursor[Row], bucket: int, limit: int = 2000) -> Iterator[Entry]:
    """A bucket from its first entry on, page by page: memory does not grow with it."""
    seq = 0
    while page := journal_page(cursor, bucket, seq, limit):
        yield from page
        seq = page[-1].seq


def _together(most: Mapping[int, int]) -> Iterator[list[int]]:
    """The buckets in order, as many at a time as one question may ask for."""
    some: list[int] = []
    count = 0
    for bucket in sorted(most):
        if some and count + most[bucket] > _AT_ONCE:
            yield some
            some, count = [], 0
        some.append(bucket)
        count += most[bucket]
    if some:
        yield some


def _read(cursor: psycopg.Cursor[Row], buckets: Sequence[int], seqs: Sequence[int], most: Sequence[int]) -> list[Entry]:
    rows = cursor.execute(_ENTRIES, [Int4s(buckets), Int8s(seqs), Int8s(most)]).fetchall()
    if not rows:
        return []
    of_bucket: dict[int, list[Row]] = {}
    for row in rows:
        of_bucket.setdefault(row[0], []).append(row)
    times = [[row[POSTED_AT] for row in some] for some in of_bucket.values()]
    since, until = [min(some) for some in times], [max(some) for some in times]
    asked = [
        Int4s(list(of_bucket)),
        Int8s([some[0][1] for some in of_bucket.values()]),
        Int8s([some[-1][1] for some in of_bucket.values()]),
        Instants([micros(time) for time in since]),
        Instants([micros(time) for time in until]),
    ]
    return entries_of(rows, cursor.execute(_POSTINGS, [*asked, min(since), max(until)]).fetchall())
