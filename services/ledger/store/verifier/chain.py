"""First pass over a bucket, in the order of its seqs: nothing changed, missing, invented or moved.

Entries are for ever, so the pages need no common snapshot: whatever the head named when the pass began stays there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import psycopg

from services.ledger.domain.apply import bucket_of
from services.ledger.domain.chain import START, canonical, chained
from services.ledger.domain.entry import Entry, Place, Posting
from services.ledger.store.rows import Row, entry_of, others_text, posting_of
from services.ledger.store.verifier.claims import compare_claims
from services.ledger.store.verifier.look import Look
from services.ledger.store.verifier.marks import Marks
from services.ledger.store.writer.statements import ENTRY_COLUMNS, POSTING_COLUMNS
from shared.instants import micros
from shared.verifying import Differs

BEFORE_ALL = -(2**62)
"""Below every seq, also below those that no entry may have."""

_HEAD = "SELECT seq, hash, posted_at FROM ledger.heads WHERE bucket = %s"
# What a row says in half, or in a second spelling of nothing, the noun that is made of it does not say.
_WHOLE_ENTRY = """num_nulls(e.counterpart_bucket, e.counterpart_wallet) <> 1
    AND (e.counterpart_seq IS NULL OR e.counterpart_bucket IS NOT NULL)"""
_WHOLE_POSTING = """num_nulls(p.for_seq, p.for_line) <> 1 AND p.campaign IS DISTINCT FROM ''
    AND num_nulls(p.origin_bucket, p.origin_seq, p.origin_line) IN (0, 3)"""
_ENTRIES = f"""
SELECT {ENTRY_COLUMNS}, {_WHOLE_ENTRY}, e.others, e.posted_at FROM ledger.entries e
WHERE e.bucket = %s AND e.seq > %s AND e.seq <= %s ORDER BY e.seq LIMIT %s
"""
_POSTINGS = f"""
SELECT {POSTING_COLUMNS}, {_WHOLE_POSTING}, p.line, p.posted_at FROM ledger.postings p
WHERE p.bucket = %s AND p.seq > %s AND p.seq <= %s ORDER BY p.seq, p.line
"""
_BEYOND = """
SELECT (SELECT min(e.seq) FROM ledger.entries e WHERE e.bucket = h.bucket AND e.seq > h.seq),
    (SELECT min(p.seq) FROM ledger.postings p WHERE p.bucket = h.bucket AND p.seq > h.seq),
    h.frozen = EXISTS (SELECT FROM ledger.freezes f WHERE f.bucket = h.bucket)
FROM ledger.heads h WHERE h.bucket = %s
"""


class _Last(NamedTuple):
    """The newest entry that was seen."""

    seq: int
    hash: bytes
    posted_at: int


_START = _Last(0, START, 0)


@dataclass(slots=True)
class Chain:
    """The walk along one bucket."""

    bucket: int
    bucket_count: int
    claims: int = 0

    def walk(self, look: Look, marks: Marks, page: int) -> Iterator[list[Entry]]:
        """Yields the entries page by page, each after it was compared. Raises Differs."""
        with look() as cursor:
            head = cursor.execute(_HEAD, [self.bucket]).fetchone()
        if head is None:
            raise Differs("head", str(self.bucket), "there is no such row")
        end, end_hash, posted_at = head
        last, after = _START, BEFORE_ALL
        while after < end:
            with look() as cursor:
                entries = self._page(cursor, after, end, page)
                for entry in entries:
                    self._follows(entry, last)
                    marks.compare(entry)
                    last = _Last(entry.seq, entry.hash, entry.posted_at)
                self.claims += compare_claims(cursor, entries, self.bucket_count)
            if not entries:
                break
            after = last.seq
            yield entries
        if (end, end_hash) != (last.seq, last.hash):
            raise Differs("head", str(self.bucket), f"it stands at {end}, the journal ends at {last.seq}")
        self._compare_end(look, last, posted_at)
        marks.end()

    def _page(self, cursor: psycopg.Cursor[Row], after: int, end: int, limit: int) -> list[Entry]:
        """The next entries with their postings, each of which must belong to one of them, line by line."""
        rows = cursor.execute(_ENTRIES, [self.bucket, after, end, limit]).fetchall()
        upto = rows[-1][1] if rows else after
        times = {row[1]: row[-1] for row in rows}
        lines: dict[int, list[Posting]] = {seq: [] for seq in times}
        for *row, whole, line, posted_at in cursor.execute(_POSTINGS, [self.bucket, after, upto]):
            own = lines.get(row[1])
            if own is None or line != len(own) or not whole or posted_at != times[row[1]]:
                raise Differs("entry", str(Place(self.bucket, row[1])), "it has postings that it should not have")
            own.append(posting_of(row))
        return [_whole(entry_of(row[:-3], lines[row[1]]), *row[-3:-1]) for row in rows]

    def _follows(self, entry: Entry, last: _Last) -> None:
        place = str(entry.place)
        if entry.seq != last.seq + 1:
            missing = str(Place(self.bucket, last.seq + 1))
            raise Differs("entry", missing, f"it is missing: the next one is {place}")
        if chained(last.hash, canonical(entry)) != entry.hash:
            raise Differs("entry", place, "its hash does not follow from its content and the entry before")
        if bucket_of(entry.wallet, self.bucket_count) != self.bucket:
            raise Differs("entry", place, "its wallet belongs to another bucket")

    def _compare_end(self, look: Look, last: _Last, posted_at: datetime) -> None:
        with look() as cursor:
            (entry, posting, agreed) = cursor.execute(_BEYOND, [self.bucket]).fetchone() or (None, None, True)
        for seq in (entry, posting):
            if seq is not None:
                raise Differs("entry", str(Place(self.bucket, seq)), "it stands behind the head")
        if last.seq and micros(posted_at) != last.posted_at:
            raise Differs("head", str(self.bucket), "it says another time than its last entry")
        if not agreed:
            raise Differs("head", str(self.bucket), "it and the table of freezes do not agree whether it is frozen")


def _whole(entry: Entry, whole: bool, others: str | None) -> Entry:
    if not whole or others != others_text(entry.others):
        raise Differs("entry", str(entry.place), "it says something in half, or in another form than ours")
    return entry
