"""The clock's work: expired lots and holds whose time is up are posted by the same writer as everything else.

A thread looks at one bucket after the other. It only finds wallets; what is due there the writer decides, under the
bucket's lock, so sweeping twice, or beside a till, does nothing twice.
"""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Engine

from services.ledger.domain.entry import OPERATOR
from services.ledger.domain.programme import Programme
from services.ledger.domain.wish import TendWish
from services.ledger.store.session import reading
from services.ledger.store.writer import Writer
from shared.clock import Clock
from shared.refusal import Refusal

log = structlog.get_logger(__name__)

_DUE = """
SELECT DISTINCT wallet_id FROM (
    (SELECT wallet_id FROM ledger.lots WHERE bucket = %s AND available > 0 AND expires_on < %s LIMIT %s)
    UNION ALL
    (SELECT wallet_id FROM ledger.holds WHERE bucket = %s AND state = 1 AND expires_at <= %s LIMIT %s)
) AS due
"""
_PAGE = 200
_WITHIN_SECONDS = 10


class Sweeper:
    """Sweeps all buckets, then pauses for `interval` seconds."""

    def __init__(
        self, engine: Engine, writer: Writer, clock: Clock, programme: Programme, bucket_count: int, interval: int
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._programme = programme
        self._bucket_count = bucket_count
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            for bucket in range(self._bucket_count):
                if self._stopping.is_set():
                    return
                try:
                    self._sweep(bucket)
                except Refusal as refusal:  # the database is away, or the writer is busy: next time
                    log.warning("sweep postponed", bucket=bucket, reason=refusal.reason)
                    break
                except Exception:
                    log.exception("sweep failed", bucket=bucket)
                    break

    def _sweep(self, bucket: int) -> None:
        wallets = self._due(bucket)
        if wallets:
            self._writer.post_all([_tend(bucket, wallet) for wallet in wallets], _WITHIN_SECONDS)

    def _due(self, bucket: int) -> list[UUID]:
        now = self._clock.now()
        today = self._programme.moment(now).today
        with reading(self._engine) as cursor:
            rows = cursor.execute(_DUE, [bucket, today, _PAGE, bucket, now, _PAGE]).fetchall()
        return [wallet for (wallet,) in rows]


def _tend(bucket: int, wallet: UUID) -> TendWish:
    return TendWish(bucket=bucket, partner=OPERATOR, request_id=uuid4(), wallet=wallet)
