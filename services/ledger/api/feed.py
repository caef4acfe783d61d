"""Pages of the journal for readers that follow it: contiguous in each bucket, resumable from any cursor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.answers import journal_entry_pb
from services.ledger.domain.refusals.journal import CursorOutOfRange
from services.ledger.store.readers import Readers

_DEFAULT_PAGE = 1000
_MOST = 10_000
_LOOK_SECONDS = 0.25
_MOST_BYTES = 3_000_000
"""Of the 4 MiB that a reader receives at most."""
_OVERHEAD = 64
"""Bytes of an entry beside its canonical form."""


class Feed:
    """Answers ReadJournal. `long_polls` threads may wait at once; beyond, an empty page is answered at once."""

    def __init__(self, readers: Readers, long_polls: int) -> None:
        self._readers = readers
        self._seats = threading.BoundedSemaphore(long_polls) if long_polls else None

    def page(
        self, request: pb.ReadJournalRequest, within: float, listening: Callable[[], bool]
    ) -> pb.ReadJournalResponse:
        """The next entries, or, after waiting, none. It stops waiting when nobody listens. Raises CursorOutOfRange."""
        cursor = {position.bucket: position.seq for position in request.cursor}
        limit = min(request.page_size or _DEFAULT_PAGE, _MOST)
        wait = min(request.wait.seconds + request.wait.nanos / 1e9, within)
        page = self._page(cursor, limit)
        if page.entries or wait <= 0:
            return page
        with self._seat() as seated:
            until = time.monotonic() + wait
            while seated and not page.entries and time.monotonic() < until and listening():
                time.sleep(min(_LOOK_SECONDS, max(0.0, until - time.monotonic())))
                page = self._page(cursor, limit)
        return page

    def _page(self, cursor: dict[int, int], limit: int) -> pb.ReadJournalResponse:
        ends, entries = self._readers.journal_from(cursor, limit)
        for bucket, seq in cursor.items():
            if seq > ends.get(bucket, -1):
                raise CursorOutOfRange(bucket=bucket, seq=seq, last_seq=ends.get(bucket, 0), bucket_count=len(ends))
        answer = pb.ReadJournalResponse(bucket_count=len(ends))
        room, reached = _MOST_BYTES, dict(cursor)
        for entry in entries:
            message = journal_entry_pb(entry)
            room -= len(message.canonical) + _OVERHEAD
            if room < 0:
                break
            answer.entries.append(message)
            reached[entry.bucket] = entry.seq
        answer.cursor.extend(pb.BucketPosition(bucket=bucket, seq=seq) for bucket, seq in reached.items())
        answer.more = any(ends[bucket] > seq for bucket, seq in reached.items())
        return answer

    @contextmanager
    def _seat(self) -> Iterator[bool]:
        taken = self._seats is not None and self._seats.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken and self._seats is not None:
                self._seats.release()
