"""The one way to make a server: mTLS or nothing, every call through the same steps, an orderly end.

What happens to a call, outermost first, is the list in `_steps`; after it the request is decoded and validated.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, cast

import grpc
from grpc_reflection.v1alpha import reflection

from shared.clock import Clock
from shared.credentials.tokens import TokenVerifier
from shared.log import configure, flush, get_logger
from shared.metrics import LOOPBACK, Exporter, Metrics
from shared.rpc.access import Access, Authenticate, Authorise, check_complete
from shared.rpc.caller import EVERYONE, Role
from shared.rpc.chain import Chain, Inside
from shared.rpc.context import RequestContext
from shared.rpc.deadline import deadline
from shared.rpc.health import CHECK, SERVICE, Health
from shared.rpc.limits import Limits, RateLimit
from shared.rpc.loop import LoopServer
from shared.rpc.metered import Metered
from shared.rpc.refusals import Refusals
from shared.rpc.steps import Check, Frame, Steps
from shared.rpc.tls import server_credentials
from shared.rpc.validation import Validation, compile_rules
from shared.settings import ServiceSettings

__all__ = ["CannotListen", "Limits", "build_server", "serve"]

_REFLECT: Final = f"/{reflection.SERVICE_NAME}/ServerReflectionInfo"
_WAITING: Final = 8  # calls that may wait for a thread; what comes beyond is refused at once
_STRETCH_SECONDS: Final = 1.0
_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # or a second server takes half the calls of the first in silence
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # clients ping every 30 s
    ("grpc.max_connection_age_ms", 600_000),  # so that balancers and new leaves get their turn
    ("grpc.max_connection_age_grace_ms", 60_000),
)

log = get_logger()


class CannotListen(Exception):
    """The address is taken, or is not ours."""


def serve(
    *,
    name: str,
    settings: ServiceSettings,
    clock: Clock,
    access: Access,
    register: Callable[[grpc.Server], None],
    service_names: Sequence[str],
    ready: Callable[[], bool],
    limits: Limits | None = None,
    on_stop: Callable[[], None] = lambda: None,
    tokenless: frozenset[str] = frozenset(),
    metrics: Metrics | None = None,
    own: Sequence[Check] = (),
    inside: Inside | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain: look unready, let running calls end, call `on_stop`.

    A second signal cuts the time short in which balancers may notice. `name` is the audience of partners' tokens;
    `tokenless` are methods that take a partner's certificate without a token; `metrics` are the service's own, to
    which the calls are added; `own` are further checks of the service's own, of calls that are authorised; `inside`
    stands around its methods that answer once.
    """
    configure(name, settings.log_level, unknown_fields=settings.log_unknown_fields)
    try:
        health = Health(service_names, ready)
        metrics = metrics or Metrics()
        try:
            server, port = build_server(
                name=name,
                settings=settings,
                clock=clock,
                access=access,
                register=register,
                service_names=service_names,
                health=health,
                limits=limits,
                tokenless=tokenless,
                own=own,
                inside=inside,
                telemetry=(Metered(metrics.registry),) if settings.metrics_port else (),
            )
            exporter = _export(metrics, settings)
        except CannotListen as refusal:
            sys.exit(f"{name}: {refusal}")
        signals = _signals()
        server.start()
        log.info("serving", address=settings.listen, port=port)
        _first(signals)
        log.info("draining", seconds=settings.drain_seconds)
        health.drain()
        _pause(signals, settings.drain_notice_seconds)
        server.stop(settings.drain_seconds).wait()
        on_stop()
        if exporter:
            exporter.stop()
        log.info("stopped")
    finally:
        flush()


def build_server(
    *,
    name: str,
    settings: ServiceSettings,
    clock: Clock,
    access: Access,
    register: Callable[[grpc.Server], None],
    service_names: Sequence[str],
    ready: Callable[[], bool] = lambda: True,
    health: Health | None = None,
    limits: Limits | None = None,
    tokenless: frozenset[str] = frozenset(),
    telemetry: Sequence[Frame] = (),
    own: Sequence[Check] = (),
    inside: Inside | None = None,
) -> tuple[grpc.Server, int]:
    """The server, not started yet, and the port that it holds. Raises CannotListen and IncompleteAccess."""
    limits = limits or Limits()
    check_complete(access, service_names)
    compile_rules(service_names)
    rows = {**access, CHECK: EVERYONE, _REFLECT: EVERYONE if settings.reflection else frozenset({Role.OPERATOR})}
    tokens = TokenVerifier(settings.token_keys_folder)
    authenticate = Authenticate(name, tokens, clock, tokenless | {CHECK, _REFLECT})
    chain = Chain(_steps(settings, authenticate, Authorise(rows), telemetry, own), Validation(limits), inside)
    server = _made(chain, limits)
    register(server)
    (health or Health(service_names, ready)).register(server)
    reflection.enable_server_reflection((*service_names, SERVICE, reflection.SERVICE_NAME), server)
    return server, _bind(server, settings)


def _made(chain: Chain, limits: Limits) -> grpc.Server:
    """A thread for each call or, where calls wait on a loop, many calls and a few threads for those that block."""
    options = (*_OPTIONS, ("grpc.max_receive_message_length", limits.max_message_bytes))
    if limits.waiting_calls:
        return cast(grpc.Server, LoopServer(chain, limits.threads, limits.waiting_calls, options))
    return grpc.server(
        ThreadPoolExecutor(limits.threads, thread_name_prefix="rpc"),
        interceptors=[chain],
        options=options,
        maximum_concurrent_rpcs=limits.threads + _WAITING,
    )


def _steps(
    settings: ServiceSettings, authenticate: Check, authorise: Check, telemetry: Sequence[Frame], own: Sequence[Check]
) -> Steps:
    """What stands around every call, outermost first."""
    return Steps(
        frames=(RequestContext(), *telemetry, Refusals()),
        checks=(deadline, authenticate, authorise, *own, RateLimit(settings.calls_per_second, settings.calls_burst)),
    )


def _export(metrics: Metrics, settings: ServiceSettings) -> Exporter | None:
    if not settings.metrics_port:
        return None
    try:
        return metrics.serve(settings.metrics_port)
    except OSError:
        raise CannotListen(f"cannot serve metrics on {LOOPBACK}:{settings.metrics_port}: the port is taken") from None


def _bind(server: grpc.Server, settings: ServiceSettings) -> int:
    host, _, port = settings.listen.rpartition(":")
    if not host or not port.isdigit():
        raise CannotListen(f"{settings.listen!r} is no host:port to listen on")
    try:
        return server.add_secure_port(settings.listen, server_credentials(settings))
    except RuntimeError:
        raise CannotListen(f"cannot listen on {settings.listen}: the port is taken, or the host is not ours") from None


def _signals() -> SimpleQueue[int]:
    """The signals that ask us to stop, as they arrive. A SimpleQueue, because it may be used in a signal handler."""
    arrived: SimpleQueue[int] = SimpleQueue()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda number, _frame: arrived.put(number))
    return arrived


def _first(signals: SimpleQueue[int]) -> None:
    """Wait for a signal. One that comes while this thread falls asleep does not wake it: so it sleeps in stretches."""
    while True:
        with suppress(Empty):
            signals.get(timeout=_STRETCH_SECONDS)
            return


def _pause(signals: SimpleQueue[int], seconds: int) -> None:
    try:
        signals.get(timeout=seconds)
    except Empty:
        return
