"""Metrics: numbers about this process, served as plain text to a Prometheus on the same machine.

A label says method, code, bucket or kind and nothing that names a person or a business: what has no bound, or no
business in a dashboard, is for the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

LOOPBACK: Final = "127.0.0.1"

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets of a latency: from a call that waits for nothing to the longest that anybody waits."""


class Metrics:
    """What one process counts. A registry of its own, so that two servers in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)

    def serve(self, port: int) -> Exporter:
        """Answer scrapes on that loopback port (0: a free one) until the exporter is stopped. Raises OSError."""
        server, thread = start_http_server(port, addr=LOOPBACK, registry=self.registry)
        return Exporter(server, thread)


class Exporter:
    """The port on which metrics are read."""

    def __init__(self, server: WSGIServer, thread: threading.Thread) -> None:
        self.port = int(server.server_port)
        self._stop: Callable[[], None] = server.shutdown
        self._close: Callable[[], None] = server.server_close
        self._thread = thread

    def stop(self) -> None:
        """Nobody is answered any more."""
        self._stop()
        self._close()
        self._thread.join()
