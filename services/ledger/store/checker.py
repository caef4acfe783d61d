"""The invariants, all the time: a thread that compares one bucket after the other while the service works.

What differs is looked at once more; what still differs freezes its bucket, and that bucket alone, until an operator
thaws it. The check works in short looks and sleeps between them, so that tills do not feel it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Engine

from services.ledger.domain.refusals.buckets import BucketDiffers
from services.ledger.domain.refusals.requests import TooLate
from services.ledger.store.freezes import Freeze, Freezes
from services.ledger.store.gauges import CheckGauges
from services.ledger.store.verifier.between import Between
from services.ledger.store.verifier.bucket import check_bucket
from services.ledger.store.verifier.look import each_time
from shared.clock import Clock
from shared.log import get_logger
from shared.repeating import Repeating
from shared.verifying import Difference, Differs

log = get_logger()

Pace = Callable[[float], None]
"""Told after each look how long it took, in seconds."""


class Look(NamedTuple):
    """What one look at a bucket found; `other` is a second bucket that may be the one that is wrong."""

    entries: int
    difference: Difference | None = None
    other: int | None = None


class Checker:
    """Sweeps over its buckets for ever. `buckets` names those of this process, asked before each sweep."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        gauges: CheckGauges,
        bucket_count: int,
        *,
        buckets: Callable[[], Iterable[int]] | None = None,
        pause_seconds: int = 1,
        duty_percent: int = 5,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._gauges = gauges
        self._bucket_count = bucket_count
        self._buckets = buckets or (lambda: range(bucket_count))
        self._pause = pause_seconds
        self._rest = (100 - duty_percent) / duty_percent
        self._freezes = Freezes(engine)
        self._thread = Repeating("checker", self.sweep, pause_seconds, work="check")

    def start(self) -> None:
        self._thread.start(after_pause=True)

    def stop(self) -> None:
        """At once: a check that is broken off has found nothing."""
        self._thread.stop()

    def sweep(self) -> None:
        """Every bucket that is not frozen, once. Raises what the database refuses."""
        began = time.monotonic()
        frozen = {freeze.bucket for freeze in self._freezes.all()}
        self._gauges.frozen(len(frozen))
        mine = [bucket for bucket in sorted(self._buckets()) if bucket not in frozen]
        self._gauges.mine(mine)
        for bucket in mine:
            self.check(bucket)
            if self._thread.wait(self._pause):
                return
        self._gauges.swept(time.monotonic() - began)

    def check(self, bucket: int) -> Difference | None:
        """Compare one bucket; freeze it when it differs twice. None when it agrees, or when we have to stop."""
        with suppress(_Stopped):
            look = self._looked(bucket, self._resting)
            if look.difference is not None:
                log.warning("bucket differs, looking again", bucket=bucket, detail=_told(look.difference))
                look = self._looked(bucket, self._resting)
            self._gauges.checked(bucket, look.entries)
            if look.difference is not None:
                self._blame(bucket, look)
            return look.difference
        return None

    def thaw(self, bucket: int, within: float) -> Freeze:
        """Let a frozen bucket post again. Raises BucketNotFrozen, BucketDiffers, and TooLate after `within` seconds."""
        self._freezes.of(bucket)
        deadline = time.monotonic() + within

        def hurrying(_seconds: float) -> None:
            if time.monotonic() > deadline:
                raise TooLate

        difference = self._looked(bucket, hurrying).difference
        if difference is not None:
            raise BucketDiffers(
                bucket=bucket, subject=difference.subject, name=difference.name, detail=difference.detail
            )
        lifted = self._freezes.thaw(bucket)
        log.warning("bucket thawed", bucket=bucket)
        self._gauges.frozen(len(self._freezes.all()))
        return lifted

    def frozen(self) -> list[Freeze]:
        """The buckets that take no postings."""
        return self._freezes.all()

    def _looked(self, bucket: int, pace: Pace) -> Look:
        entries = 0
        try:
            began = time.monotonic()
            for counted in check_bucket(each_time(self._engine), bucket, self._bucket_count):
                entries += counted.entries
                pace(time.monotonic() - began)
                began = time.monotonic()
        except Between as differs:
            return Look(entries, differs.difference, differs.other)
        except Differs as differs:
            return Look(entries, differs.difference)
        return Look(entries)

    def _blame(self, bucket: int, look: Look) -> None:
        """Where two buckets contradict each other, the one that is wrong by itself is frozen."""
        if look.other is not None and look.other != bucket:
            elsewhere = self._looked(look.other, self._resting)
            if elsewhere.difference is not None and elsewhere.other is None:
                self._freeze(look.other, elsewhere.difference)
                return
        if look.difference is not None:
            self._freeze(bucket, look.difference)

    def _freeze(self, bucket: int, difference: Difference) -> None:
        if self._freezes.freeze(bucket, self._clock.now(), difference):
            self._gauges.violation(difference.subject)
            log.error("bucket frozen", bucket=bucket, kind=difference.subject, detail=_told(difference))
        self._gauges.frozen(len(self._freezes.all()))

    def _resting(self, seconds: float) -> None:
        if self._thread.wait(seconds * self._rest):
            raise _Stopped


class _Stopped(Exception):
    """The service ends; what was looked at so far says nothing."""


def _told(difference: Difference) -> str:
    return f"{difference.subject} {difference.name}: {difference.detail}"
