"""Health as grpc.health.v1 says it: ready means that this process can serve calls now.

Asked on demand, at most once a second, whoever asks how often. `Watch` is left out: each watcher would hold a thread;
clients take its absence for "healthy" and find out by calling.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import grpc
from grpc_health.v1 import health_pb2

from shared.log import get_logger
from shared.refusal import Kind, Refusal

SERVICE = "grpc.health.v1.Health"
CHECK = f"/{SERVICE}/Check"
_FRESH_SECONDS = 1.0

log = get_logger()


class ServiceUnknown(Refusal):
    """Health was asked about a service that is not here."""

    kind = Kind.NOT_THERE
    message = "There is no service {name} here."


class Health:
    """Answers for the server as a whole and for each of its services; they are ready together."""

    def __init__(self, service_names: Iterable[str], ready: Callable[[], bool]) -> None:
        self._names = frozenset(service_names) | {""}
        self._ready = ready
        self._lock = threading.Lock()
        self._was_ready = False
        self._asked = -_FRESH_SECONDS
        self._draining = False

    def drain(self) -> None:
        """From now on: not serving, whatever `ready` says."""
        self._draining = True

    def serving(self) -> bool:
        """Whether calls can be served. While one caller finds out, the others get the last answer."""
        if self._draining:
            return False
        if time.monotonic() - self._asked >= _FRESH_SECONDS and self._lock.acquire(blocking=self._asked < 0):
            try:
                self._find_out()
            finally:
                self._lock.release()
        return self._was_ready and not self._draining

    def _find_out(self) -> None:
        try:
            ready = self._ready()
        except Exception as error:
            ready = False
            log.warning("readiness unknown", error=type(error).__name__)
        if ready != self._was_ready:
            log.info("ready" if ready else "not ready")
        self._was_ready = ready
        self._asked = time.monotonic()

    def check(
        self, request: health_pb2.HealthCheckRequest, _context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """The RPC."""
        if request.service not in self._names:
            raise ServiceUnknown(name=request.service)
        answers = health_pb2.HealthCheckResponse
        return answers(status=answers.SERVING if self.serving() else answers.NOT_SERVING)

    def register(self, server: grpc.Server) -> None:
        """Add `Check` to the server."""
        handler = grpc.unary_unary_rpc_method_handler(
            self.check,
            health_pb2.HealthCheckRequest.FromString,
            health_pb2.HealthCheckResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Check": handler}),))
