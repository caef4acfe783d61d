"""A driver process: takes a plan, gets everything ready, says so, waits for the word, works, says what it measured.

python -m tests.load.driver < plan    (the bench starts it; by hand only to look at something)
"""

from __future__ import annotations

import random
import selectors
import sys
import time
from pathlib import Path

from shared.credentials.authority import Leaf
from tests.load.http2 import Connection
from tests.load.measured import percentile
from tests.load.plan import Plan, Result, Till, packed, plan_of
from tests.load.processor import own_seconds
from tests.load.work import Done, Work, read
from tests.load.worker import wait_for_the_word

_PATIENCE = 30.0
_ENOUGH_REFUSED = 1000


class Driver:
    """Keeps calls in flight on its connections, one thread for all of them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._work = Work(plan)
        self._selector = selectors.DefaultSelector()
        self._connections = [
            _connected(plan.targets[place % len(plan.targets)], till) for place, till in enumerate(plan.tills)
        ]
        for connection in self._connections:
            self._selector.register(connection.socket, connection.wants, connection)
        self._latencies: list[float] = []
        self._closed = plan.per_second is None
        self._until = 0.0
        self.done = self.acknowledged = self.refused = self._in_flight = 0
        self.why = ""

    def warm_up(self) -> None:
        """A few calls, so that connections, threads and plans are there."""
        self._until = 0.0
        self._fill()
        self._drain()

    def run(self) -> tuple[float, float | None, float | None]:
        """Seconds it took, and the percentiles. While nothing has been answered it goes on beyond its seconds."""
        self.done, self._latencies = 0, []
        started = time.perf_counter()
        self._until = started + self._plan.seconds
        if self._closed:
            self._fill()
        else:
            self._arrivals(started)
        while self._in_flight and self._counts(time.perf_counter()):
            self._turn(0.1)
        took = time.perf_counter() - started
        self._drain()
        latencies = sorted(self._latencies)
        return took, percentile(latencies, 0.50), percentile(latencies, 0.99)

    def _fill(self) -> None:
        for slot in range(self._plan.in_flight):
            self._begin(slot % len(self._connections), time.perf_counter())
        for connection in self._connections:
            connection.flush()

    def _arrivals(self, started: float) -> None:
        """Poisson arrivals. A call that waits for us has waited all the same: its clock starts when it arrived."""
        assert self._plan.per_second is not None
        draw, due, till = random.Random(self._plan.run), started, 0
        while due < self._until:
            now = time.perf_counter()
            while due <= now and due < self._until:
                self._begin(till, due)
                self._connections[till].flush()
                till = (till + 1) % len(self._connections)
                due += draw.expovariate(self._plan.per_second)
            self._turn(max(0.0, min(due, self._until) - time.perf_counter()))

    def _begin(self, till: int, at: float) -> None:
        if self._work.goes_on(till):
            self._send(till, self._work.method, self._work.request(till), at)

    def _send(self, till: int, method: str, request: bytes, at: float) -> None:
        self._in_flight += 1
        self._connections[till].call(method, request, lambda answer, why: self._answered(till, method, at, answer, why))

    def _answered(self, till: int, method: str, at: float, answer: bytes, why: str) -> None:
        self._in_flight -= 1
        now = time.perf_counter()
        done = Done(0, refused=1, why=why) if why else read(method, answer)
        self.acknowledged += done.entries
        self.refused += done.refused
        self.why = self.why or done.why
        if self.refused > _ENOUGH_REFUSED:
            raise SystemExit(f"the ledger refuses: {self.why}")
        if done.then is not None:
            self._send(till, *done.then, at)
            return
        if self._counts(now):
            self.done += done.entries
            self._latencies.append((now - at) * 1000)
            if self._closed:
                self._begin(till, now)

    def _counts(self, now: float) -> bool:
        """Whether what is answered now belongs to the run: the first answer does, however slow the ledger is."""
        return now <= self._until or not self.done

    def _drain(self) -> None:
        """Wait for what is still under way; it is acknowledged, but not counted as done in time."""
        give_up = time.monotonic() + _PATIENCE
        while self._in_flight:
            self._turn(0.1)
            if time.monotonic() > give_up:
                raise SystemExit(f"{self._in_flight} calls are not answered")

    def _turn(self, seconds: float) -> None:
        """Receive what comes within so many seconds, and send what follows from it."""
        for key, _ in self._selector.select(seconds):
            connection: Connection = key.data
            connection.receive()
        for connection in self._connections:
            connection.flush()
            self._selector.modify(connection.socket, connection.wants, connection)


def _connected(target: str, till: Till) -> Connection:
    leaf = Leaf(Path(till.certificate_file), Path(till.key_file), Path(till.ca_file))
    return Connection(target, leaf, (("authorization", f"Bearer {till.token}"),))


def main() -> None:
    driver = Driver(plan_of(sys.stdin.readline()))
    driver.warm_up()
    if not wait_for_the_word():
        return
    before = own_seconds()
    took, p50, p99 = driver.run()
    used = own_seconds() - before
    result = Result(driver.done, took, p50, p99, driver.acknowledged, driver.refused, driver.why, used)
    print(packed(result), flush=True)


if __name__ == "__main__":
    main()
