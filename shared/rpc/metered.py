"""The step that counts: calls and their time by method and code.

It stands inside the request context and outside the refusals, so that it sees the code that the caller sees.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from prometheus_client import CollectorRegistry, Gauge, Histogram

from shared.metrics import SECONDS
from shared.rpc.call import CallContext


class Metered:
    """The step. Methods are those that we serve, so their number has a bound."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "code")
        self._seconds = Histogram("rpc_seconds", "Time to answer a call", labels, buckets=SECONDS, registry=registry)
        self._running = Gauge("rpc_running", "Calls that are being answered", registry=registry)
        self._known: dict[tuple[str, str], Histogram] = {}

    @contextmanager
    def __call__(self, call: CallContext) -> Iterator[None]:
        started = time.perf_counter()
        self._running.inc()
        ended = grpc.StatusCode.CANCELLED  # whoever leaves without a code of ours left because the caller did
        try:
            yield
            ended = call.status
        except BaseException:
            if call.status is not grpc.StatusCode.OK:
                ended = call.status
            raise
        finally:
            self._running.dec()
            self._of(call.method, ended.name).observe(time.perf_counter() - started)

    def _of(self, method: str, code: str) -> Histogram:
        """Finding the labels anew costs more than counting."""
        key = (method, code)
        if key not in self._known:
            self._known[key] = self._seconds.labels(*key)
        return self._known[key]
