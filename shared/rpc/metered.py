"""The frame that counts: calls and their time by method and code.

It stands inside the request context and outside the refusals, so that it sees the code that the caller sees.
"""

from __future__ import annotations

import time

import grpc
from prometheus_client import CollectorRegistry, Gauge, Histogram

from shared.metrics import SECONDS
from shared.rpc.call import CallContext


class Metered:
    """The frame. Methods are those that we serve, so their number has a bound."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "code")
        self._seconds = Histogram("rpc_seconds", "Time to answer a call", labels, buckets=SECONDS, registry=registry)
        self._running = Gauge("rpc_running", "Calls that are being answered", registry=registry)
        self._known: dict[tuple[str, str], Histogram] = {}

    def begin(self, call: CallContext) -> None:
        self._running.inc()

    def end(self, call: CallContext, error: BaseException | None) -> None:
        """Whoever leaves without a code of ours left because the caller did."""
        left = error is not None and call.status is grpc.StatusCode.OK
        self._running.dec()
        ended = grpc.StatusCode.CANCELLED if left else call.status
        self._of(call.method, ended.name).observe(time.perf_counter() - call.began)

    def _of(self, method: str, code: str) -> Histogram:
        """Finding the labels anew costs more than counting."""
        key = (method, code)
        if key not in self._known:
            self._known[key] = self._seconds.labels(*key)
        return self._known[key]
