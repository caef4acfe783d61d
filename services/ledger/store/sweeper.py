"""The clock's work: expired lots and holds whose time is up are posted by the same writer as everything else.

A thread looks at one bucket after the other. It only finds wallets; what is due there the writer decides, under the
bucket's lock, so sweeping twice, or beside a till, does nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import Engine

from services.ledger.domain.entry import OPERATOR
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.wish import TendWish
from services.ledger.store.holdings import AllMine, Holdings
from services.ledger.store.session import reading
from services.ledger.store.stripes import buckets_of
from services.ledger.store.transfers import Transfers
from services.ledger.store.writer import Writer
from shared.clock import Clock
from shared.instants import instant
from shared.log import get_logger
from shared.refusal import Kind, Refusal
from shared.repeating import Repeating

log = get_logger()

_DUE = """
SELECT DISTINCT wallet_id FROM (
    (SELECT wallet_id FROM ledger.lots WHERE bucket = %s AND available > 0 AND expires_on < %s LIMIT %s)
    UNION ALL
    (SELECT wallet_id FROM ledger.lots WHERE bucket = %s AND pending > 0 AND available_from <= %s LIMIT %s)
    UNION ALL
    (SELECT wallet_id FROM ledger.holds WHERE bucket = %s AND state = 1 AND expires_at <= %s LIMIT %s)
) AS due
"""
# Points that inactivity ends have no date of their own: looked for once a day, a page of wallets at a time.
_IDLE = """
SELECT DISTINCT l.wallet_id FROM ledger.lots l
JOIN ledger.wallets w ON w.bucket = l.bucket AND w.wallet_id = l.wallet_id AND w.unit = 1
WHERE l.bucket = %s AND l.wallet_id > %s AND l.idle_days IS NOT NULL AND l.available > 0
    AND coalesce(w.active_at, l.earned_at) < %s - l.idle_days * interval '1 day'
ORDER BY l.wallet_id LIMIT %s
"""
_PAGE = 200
_WITHIN_SECONDS = 10


class Sweeper:
    """Sweeps all buckets, then pauses for `interval` seconds."""

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        transfers: Transfers,
        clock: Clock,
        programme: Programme,
        bucket_count: int,
        interval: int,
        holdings: Holdings | None = None,
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._transfers = transfers
        self._looked_for_idle: dict[int, date] = {}
        self._clock = clock
        self._programme = programme
        self._bucket_count = bucket_count
        self._holdings = holdings or AllMine(bucket_count)
        self._thread = Repeating("sweeper", self.sweep, interval, work="sweep")

    def start(self) -> None:
        self._thread.start(after_pause=True)

    def stop(self) -> None:
        self._thread.stop()

    def sweep(self) -> None:
        """All our buckets, once. Raises the refusal of a database that is away, or of a writer that is busy."""
        for bucket in self._ours():
            if self._thread.is_stopping:
                return
            try:
                self.sweep_bucket(bucket)
            except Refusal as refusal:
                if refusal.kind in (Kind.DOWN, Kind.TOO_MUCH, Kind.TOO_LATE):
                    raise  # for every bucket: next time
                log.warning("sweep postponed", bucket=bucket, reason=refusal.reason)
            except Exception:
                log.exception("sweep failed", bucket=bucket)

    def _ours(self) -> list[int]:
        """The buckets that we post for; our peers sweep the others."""
        held = self._holdings.held()
        return sorted(bucket for stripe in held for bucket in buckets_of(stripe, self._bucket_count))

    def sweep_bucket(self, bucket: int) -> None:
        """What is due in one bucket, once."""
        now = self._programme.moment(self._clock.now())
        self._tend(bucket, self._due(bucket, now))
        if self._looked_for_idle.get(bucket) != now.today:
            self._sweep_idle(bucket, now)
            self._looked_for_idle[bucket] = now.today
        self._transfers.sweep(bucket)

    def _sweep_idle(self, bucket: int, now: Moment) -> None:
        last = UUID(int=0)
        while wallets := self._page(_IDLE, [bucket, last, instant(now.at), _PAGE]):
            self._tend(bucket, wallets)
            last = wallets[-1]

    def _due(self, bucket: int, now: Moment) -> list[UUID]:
        at = instant(now.at)
        return self._page(_DUE, [bucket, now.today, _PAGE, bucket, at, _PAGE, bucket, at, _PAGE])

    def _page(self, statement: str, parameters: list[object]) -> list[UUID]:
        with reading(self._engine) as cursor:
            return [wallet for (wallet,) in cursor.execute(statement, parameters)]

    def _tend(self, bucket: int, wallets: Sequence[UUID]) -> None:
        if wallets:
            self._writer.post_all([_tend(bucket, wallet) for wallet in wallets], _WITHIN_SECONDS)


def _tend(bucket: int, wallet: UUID) -> TendWish:
    return TendWish(bucket=bucket, partner=OPERATOR, request_id=uuid4(), wallet=wallet)
