"""The write path alone: batches handed to the ledger's writer in its own process, with no gRPC in front of it.

python -m tests.load.direct, told what to do like a driver, with the environment of a ledger process.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from random import Random
from uuid import UUID, uuid4

from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import ReceiptRef
from services.ledger.domain.wish import AwardWish, Line
from services.ledger.settings import Settings
from services.ledger.store.deployment import prepare
from services.ledger.store.leases import Leases
from services.ledger.store.policies import Policies
from services.ledger.store.writer import LaneLimits, Posted, Writer
from shared.clock import clock_at
from shared.db.engine import make_engine
from shared.log import configure
from tests.load.house import House
from tests.load.measured import Measured, percentile
from tests.load.processor import own_seconds, used_by_family
from tests.load.requests import wallet
from tests.load.worker import wait_for_the_word, worker

_THREADS = 8
_PATIENCE = 30.0


def write_path(house: House, *, seconds: float, wallets: int, batch: int, in_advance: int) -> Measured:
    """One run, by a process of its own. No ledger may be running: it would hold the buckets."""
    task = {"seconds": seconds, "wallets": wallets, "batch": batch, "in_advance": in_advance}
    before = house.entry_count()
    with worker("tests.load.direct", json.dumps(task), house.environment()) as process:
        stored = used_by_family(house.postmaster)
        answer = json.loads(process.go())
        stored = used_by_family(house.postmaster) - stored
    posted = answer.pop("posted")
    if (grown := house.entry_count() - before) != posted:
        raise RuntimeError(f"{posted} entries were posted, the journal grew by {grown}")
    return Measured(**answer, database_seconds=stored)


def main() -> None:
    task = json.loads(sys.stdin.readline())
    configure("bench", "warning")
    settings = Settings()
    batches = deque(_batches(task, settings.buckets))
    gc.collect()
    gc.freeze()  # as the service does; and what we made in advance is no business of the collector's
    gc.set_threshold(50_000, 20, 100)
    with _writer(settings) as writer:
        _post(writer, deque([batches.popleft()]), time.perf_counter() + _PATIENCE)
        if not wait_for_the_word():
            return
        used = own_seconds()
        started = time.perf_counter()
        runs = _posted(writer, batches, started + task["seconds"])
        took = time.perf_counter() - started
        used = own_seconds() - used
    latencies = sorted(latency for _, latency in runs)
    posted = sum(posted for posted, _ in runs)
    answer = {
        "per_second": posted / took,
        "p50_ms": percentile(latencies, 0.50),
        "p99_ms": percentile(latencies, 0.99),
        "server_seconds": used,
        "seconds": took,
        "posted": posted + task["batch"],
    }
    print(json.dumps(answer), flush=True)


@contextmanager
def _writer(settings: Settings) -> Iterator[Writer]:
    """The writer as the service composes it, with every stripe: nobody else is there."""
    engine = make_engine(settings, pool_size=settings.lanes, idle_seconds=settings.lease_seconds)
    keeping_engine = make_engine(settings, pool_size=4, idle_seconds=settings.lease_seconds)
    prepare(engine, settings.buckets)
    clock = clock_at(settings.clock_file)
    policies = Policies(keeping_engine, clock)
    leases = Leases(keeping_engine, settings.name, settings.address, settings.buckets, settings.lease_seconds)
    limits = LaneLimits(settings.queue_size, settings.batch_size, settings.linger_ms)
    writer = Writer(
        engine,
        clock,
        settings.programme(),
        settings.buckets,
        settings.lanes,
        limits,
        holdings=leases,
        policies=policies.current,
    )
    policies.start()
    leases.start()
    try:
        yield writer
    finally:
        writer.stop()
        leases.stop()
        policies.stop()
        engine.dispose()
        keeping_engine.dispose()


Run = tuple[int, float]
"""Entries of a batch, and the milliseconds that it took."""


def _posted(writer: Writer, batches: deque[list[AwardWish]], until: float) -> list[Run]:
    """Several threads post what there is, until the time is over."""
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda: runs.extend(_post(writer, batches, until))) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return runs


def _post(writer: Writer, batches: deque[list[AwardWish]], until: float) -> list[Run]:
    runs: list[Run] = []
    while time.perf_counter() < until:
        try:
            batch = batches.popleft()
        except IndexError:
            break
        began = time.perf_counter()
        outcomes = writer.post_all(batch, _PATIENCE)
        runs.append((len(outcomes), (time.perf_counter() - began) * 1000))
        refused = [outcome for outcome in outcomes if not isinstance(outcome, Posted)]
        if refused:
            raise SystemExit(f"{len(refused)} wishes were refused: {refused[0]}")
    return runs


def _batches(task: dict[str, int], buckets: int) -> Iterator[list[AwardWish]]:
    draw = Random(uuid4().int)
    wallets = [wallet(number) for number in range(task["wallets"])]
    run = uuid4().hex[:6]
    for number in range(max(2, task["in_advance"] // task["batch"])):
        yield [
            _wish(draw, wallets, buckets, f"partner-{draw.randrange(8)}", f"D{run}{number:06}{item:04}")
            for item in range(task["batch"])
        ]


def _wish(draw: Random, wallets: Sequence[UUID], buckets: int, partner: str, receipt_no: str) -> AwardWish:
    owner = draw.choice(wallets)
    return AwardWish(
        bucket=bucket_of(owner, buckets),
        partner=partner,
        request_id=uuid4(),
        wallet=owner,
        lines=(Line(partner, 100),),
        receipt=ReceiptRef("S1", "T1", date(2026, 1, 15), receipt_no),
    )


if __name__ == "__main__":
    main()
