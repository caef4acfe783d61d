"""What the ledger counts about itself. Labels are bucket numbers and subjects, never a partner or a wallet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.metrics import SECONDS

_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


class Observed(Protocol):
    """Whoever wants to know how posting goes."""

    def batch(self, size: int, waited: float, took: float) -> None:
        """A batch was committed: its wishes, seconds that the oldest of them waited, seconds from begin to commit."""


class Unobserved:
    """Nobody wants to know."""

    def batch(self, size: int, waited: float, took: float) -> None:
        """Forgotten."""


UNOBSERVED: Final = Unobserved()


class PostingGauges:
    """How posting goes: batches, what they waited for, and what waits now."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._size = Histogram("ledger_batch_size", "Wishes in one transaction", buckets=_SIZES, registry=registry)
        self._waited = Histogram(
            "ledger_batch_wait_seconds", "Oldest wish of a batch in the queue", buckets=SECONDS, registry=registry
        )
        self._took = Histogram(
            "ledger_batch_seconds", "A batch from begin to commit", buckets=SECONDS, registry=registry
        )
        self._held = Gauge("ledger_stripes_held", "Stripes that this process posts for", registry=registry)
        self._depth = Gauge("ledger_queue_depth", "Wishes that wait for a lane", registry=registry)

    def batch(self, size: int, waited: float, took: float) -> None:
        self._size.observe(size)
        self._waited.observe(waited)
        self._took.observe(took)

    def stripes(self, held: Callable[[], int]) -> None:
        """Ask this at each scrape."""
        self._held.set_function(held)

    def queue(self, depth: Callable[[], int]) -> None:
        """Ask this at each scrape."""
        self._depth.set_function(depth)


class CheckGauges(Collector):
    """What the checker found, and how long ago it looked: a checker that stands still must show."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._looked: dict[int, float] = {}
        self._violations = Counter(
            "ledger_invariant_violations", "Confirmed differences from the journal", ("subject",), registry=registry
        )
        self._checked = Counter("ledger_buckets_checked", "Buckets checked", registry=registry)
        self._entries = Counter("ledger_entries_checked", "Entries checked", registry=registry)
        self._sweep = Gauge("ledger_sweep_seconds", "The last sweep over all buckets", registry=registry)
        self._frozen = Gauge("ledger_frozen_buckets", "Buckets that take no postings", registry=registry)
        for subject in SUBJECTS:
            self._violations.labels(subject)
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        now = time.monotonic()
        family = GaugeMetricFamily("ledger_bucket_check_age_seconds", "Since a bucket was checked", labels=["bucket"])
        for bucket, looked in self._looked.items():
            family.add_metric([str(bucket)], now - looked)
        yield family

    def mine(self, buckets: Iterable[int]) -> None:
        """The buckets that this process checks from now on: how old its look at the others is says nothing."""
        now = time.monotonic()
        self._looked = {bucket: self._looked.get(bucket, now) for bucket in buckets}

    def violation(self, subject: str) -> None:
        self._violations.labels(subject if subject in SUBJECTS else "other").inc()

    def checked(self, bucket: int, entries: int) -> None:
        self._looked[bucket] = time.monotonic()
        self._checked.inc()
        self._entries.inc(entries)

    def swept(self, seconds: float) -> None:
        self._sweep.set(seconds)

    def frozen(self, count: int) -> None:
        self._frozen.set(count)


SUBJECTS: Final = (
    "entry",
    "head",
    "wallet",
    "lot",
    "hold",
    "redemption",
    "request",
    "receipt",
    "alias",
    "transfer",
    "slice",
    "checkpoint",
    "tree",
    "landmark",
    "conservation",
    "other",
)
"""What a difference can be about: known from the start, so that a counter begins at zero instead of appearing."""
