"""The roll-forward of a window, read from the ledger's journal bucket by bucket: memory grows with a bucket's lots."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from services.settlement.domain.journal import FeedEntry
from services.settlement.domain.liability import Liability
from services.settlement.domain.window import Window
from services.settlement.store.ingest import positions
from shared.verifying import Progress

Read = Callable[[int, int], list[FeedEntry]]
"""The next entries of a bucket after a seq; none at its end."""


def roll_forward(connection: Connection, window: Window, read: Read) -> Iterator[Progress | Liability]:
    """Progress again and again, then the result. An open window ends where the journal was read so far."""
    reached = {bucket: position.seq for bucket, (position, _) in positions(connection).items()}
    ends = dict(enumerate(window.to.seqs)) if window.to else reached
    total, done = sum(ends.values()), 0
    liability = Liability()
    for bucket, end in ends.items():
        liability.read(_entries(read, bucket, end), window.from_seq(bucket))
        done += end
        yield Progress(done, total)
    yield liability


def _entries(read: Read, bucket: int, end: int) -> Iterator[FeedEntry]:
    """The entries of a bucket from its first to the one at `end`."""
    seen = 0
    while seen < end and (page := read(bucket, seen)):
        yield from (entry for entry in page if entry.seq <= end)
        seen = page[-1].seq
