"""Entries and postings lie in one partition for each month of `posted_at`, in UTC, made before anybody posts into it.

The months follow each other without a gap, so one date tells what there is. The upkeep makes them two months ahead,
beside the posting. A lane asks again before it posts, for a clock may jump.

Whoever looks for an entry by bucket and seq would have to ask every month. So the upkeep leaves landmarks: the place
of some entry of each week and when it was posted. They say where to look first, never what there is.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
from sqlalchemy import Engine

from services.ledger.store.rows import Row
from services.ledger.store.session import writing
from shared.clock import Clock
from shared.instants import instant, micros
from shared.repeating import Repeating

_MAKE = "SELECT ledger.make_partitions(%s)"
_LEAVE_LANDMARKS = """
INSERT INTO ledger.landmarks (bucket, seq, posted_at)
SELECT h.bucket, h.seq, h.posted_at FROM ledger.heads h WHERE h.seq > 0 AND NOT EXISTS (
    SELECT 1 FROM ledger.landmarks l WHERE l.bucket = h.bucket AND l.posted_at > h.posted_at - interval '7 days'
)
ON CONFLICT DO NOTHING
"""

_AHEAD = timedelta(days=62)
_PAUSE_SECONDS = 3600


class Partitions:
    """Remembers how far a process has seen them made."""

    def __init__(self) -> None:
        self._last = date.min  # the first day of the last month that is there

    def lack(self, at: int) -> bool:
        """Whether something posted at that instant, in microseconds, may have no partition yet."""
        return _month(instant(at)) > self._last

    def made(self, last: date) -> None:
        """What `make` answered, once that is committed."""
        self._last = max(self._last, last)


def make(cursor: psycopg.Cursor[Row], at: int) -> date:
    """Make what there should be at that instant, two months ahead, in a transaction of its own. The last month."""
    last = _month(_later(instant(at)))
    cursor.execute(_MAKE, [last])
    return last


class Upkeep:
    """Makes the coming months and leaves landmarks, once an hour, in a thread of its own."""

    def __init__(self, engine: Engine, partitions: Partitions, clock: Clock, pause: float = _PAUSE_SECONDS) -> None:
        self._engine = engine
        self._partitions = partitions
        self._clock = clock
        self._thread = Repeating("partitions", self.tend, pause, work="partitions")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    def tend(self) -> None:
        """Make and leave what there should be by now. While the database is away a lane makes what it needs."""
        with writing(self._engine) as cursor:
            last = make(cursor, micros(self._clock.now()))
        self._partitions.made(last)
        with writing(self._engine) as cursor:
            cursor.execute(_LEAVE_LANDMARKS)


def _month(when: datetime) -> date:
    return when.astimezone(UTC).date().replace(day=1)


def _later(when: datetime) -> datetime:
    """Some time ahead, at most the end of the calendar."""
    return when + min(_AHEAD, datetime.max.replace(tzinfo=UTC) - when)
