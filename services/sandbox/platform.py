"""The platform of a home: up, what it looks like, down."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from services.sandbox import clocks, processes
from services.sandbox.clients import Calls, healthy
from services.sandbox.home import Home, locked, made
from services.sandbox.keys import Keys, authority_of, ensure_keys, keys_of
from services.sandbox.ports import free, holder, ports_of, recorded_ports, taken
from services.sandbox.postgres import Server, server_of
from services.sandbox.refusals import NotUp, ServiceFailed, ServiceSlow
from services.sandbox.services import METERS, SERVICES, command, environment, target
from shared.credentials.authority import Authority, Leaf

Say = Callable[[str], None]
OPERATOR: Final = "local"
"""The user whom the certificate of this machine's operator names."""

COLLEAGUE: Final = "colleague"
"""The second person whom four eyes need."""

_HEALTHY_SECONDS: Final = 60
_LOOK_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 5.0
_LINGER_SECONDS: Final = 2.0
_END: Final = ((signal.SIGTERM, 20.0),)


class Platform:
    """A sandbox that runs: where its services are and how to speak to them."""

    def __init__(self, home: Home, ports: Mapping[str, int]) -> None:
        self.home = home
        self.ports = ports
        self.targets = {service: target(ports, service) for service in SERVICES}

    @cached_property
    def authority(self) -> Authority:
        """Whoever is to call the services gets a certificate here."""
        return authority_of(self.home)

    @cached_property
    def operator(self) -> Calls:
        """The services as the operator of the programme calls them."""
        return Calls(self.targets, self.authority.operator(OPERATOR))

    @cached_property
    def colleague(self) -> Calls:
        """A second person of the operator's: who approves what the first one proposed."""
        return Calls(self.targets, self.authority.operator(COLLEAGUE))

    def now(self) -> datetime:
        """The sandbox's time."""
        return clocks.now(self.home)


@dataclass(frozen=True, slots=True)
class _Start:
    """A service and what it is started with."""

    service: str
    command: Sequence[str]
    environment: Mapping[str, str]
    leaf: Leaf

    def runs_as_wanted(self, record: processes.Record | None) -> bool:
        wanted = processes.fingerprint(self.command, self.environment)
        return record is not None and record.settings == wanted and processes.running(record)


def up(home: Home, *, say: Say, port_base: int | None = None, clock: clocks.Wish = None) -> Platform:
    """Start what does not run, in a home that is made when it is not there; return when all of it is healthy.

    A service that runs with other settings than those of today is started afresh.
    """
    made(home)
    with locked(home):
        keys = ensure_keys(home)
        clocks.arrange(home, clock)
        server = server_of(home, keys.administrator)
        ports = ports_of(home, (*SERVICES, *METERS), port_base)
        starts = _starts(home, keys, server, ports)
        missing = [start for start in starts if not start.runs_as_wanted(_record(home, start.service))]
        _make_room(home, missing, ports, say)
        server.start(say)
        _launch(home, missing, server, keys, say)
        _wait_until_healthy(home, starts, ports, say)
    return Platform(home, ports)


def running_platform(home: Home) -> Platform:
    """The platform of a home in which everything runs already."""
    ports = recorded_ports(home)
    missing = [service for service in SERVICES if not processes.running(_record(home, service))]
    if missing or not all(service in ports for service in SERVICES):
        raise NotUp(folder=home.root, missing=", ".join(missing))
    return Platform(home, ports)


def down(home: Home, *, say: Say) -> list[str]:
    """Stop what runs; what was stored stays. Answers with the names of what was stopped."""
    if not home.run.exists():
        return []
    with locked(home):
        records = [record for service in SERVICES if (record := _record(home, service))]
        running = [record.name for record in records if processes.running(record)]
        for name in running:
            say(f"stopping {name}")
        _stop(home, records)
        if server_of(home, keys_of(home).administrator).stop():
            running.append("postgres")
    return running


@dataclass(frozen=True, slots=True)
class Seen:
    """What `status` sees of one process."""

    name: str
    state: str
    """healthy, unhealthy, stopped, or crashed: it was started, nobody stopped it, and it is gone."""
    pid: int | None
    address: str
    detail: str


def status(home: Home) -> list[Seen]:
    """What runs, without changing anything."""
    ports = recorded_ports(home)
    return [_seen_postgres(home), *(_seen(home, service, ports) for service in SERVICES)]


def _starts(home: Home, keys: Keys, server: Server, ports: Mapping[str, int]) -> list[_Start]:
    authority = authority_of(home)
    starts = []
    for service in SERVICES:
        leaf = authority.service(service)
        settings = environment(service, home=home, keys=keys, leaf=leaf, server=server, ports=ports)
        starts.append(_Start(service, command(service), settings, leaf))
    authority.operator(OPERATOR)
    return starts


def _make_room(home: Home, missing: Sequence[_Start], ports: Mapping[str, int], say: Say) -> None:
    """Stop what runs with old settings and what an interrupted start left behind; a stranger on a port is a refusal."""
    old = [record for start in missing if (record := _record(home, start.service))]
    for record in old:
        if processes.running(record):
            say(f"stopping {record.name}: its settings changed")
    _stop(home, old)
    for start in missing:
        port = ports[start.service]
        if not _becomes_free(port):
            left_behind = holder(port)
            if left_behind is None or not processes.ours(left_behind, start.environment):
                raise taken(start.service, port)
            _stop(home, [processes.adopted(start.service, left_behind.pid, home.run)])


def _becomes_free(port: int) -> bool:
    """A port whose process was killed stays taken for a moment, though by nobody."""
    give_up = time.monotonic() + _LINGER_SECONDS
    while not free(port):
        if holder(port) is not None or time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def _launch(home: Home, missing: Sequence[_Start], server: Server, keys: Keys, say: Say) -> None:
    """Each service starts while the database of the next is made."""
    if not missing:
        return
    from services.sandbox.databases import ensure_databases  # slow to import, and most commands need none of it

    for start in missing:
        say(f"preparing the database of {start.service}")
        ensure_databases(home, server, keys, start.service, start.leaf)
        log = home.logs / f"{start.service}.log"
        processes.spawn(start.service, start.command, start.environment, log, home.run)


def _stop(home: Home, records: Sequence[processes.Record]) -> None:
    """All at once: each drains by itself."""
    with ThreadPoolExecutor(max_workers=len(SERVICES)) as pool:
        for stopped in [pool.submit(processes.stop, record, gently=_END, records=home.run) for record in records]:
            stopped.result()


def _wait_until_healthy(home: Home, starts: Sequence[_Start], ports: Mapping[str, int], say: Say) -> None:
    give_up = time.monotonic() + _HEALTHY_SECONDS
    operator = authority_of(home).operator(OPERATOR)
    waiting, why = [start.service for start in starts], ""
    while waiting:
        service = waiting[0]
        log = home.logs / f"{service}.log"
        if not processes.running(_record(home, service)):
            raise ServiceFailed(service=service, why=processes.last_words(log), log=log)
        why = healthy(target(ports, service), operator, timeout=_LOOK_SECONDS)
        if not why:
            waiting.pop(0)
            say(f"{service} is healthy")
        elif time.monotonic() > give_up:
            raise ServiceSlow(service=service, seconds=_HEALTHY_SECONDS, why=why, log=log)
        else:
            waiting.append(waiting.pop(0))


def _record(home: Home, service: str) -> processes.Record | None:
    return processes.recorded(service, home.run)


def _seen(home: Home, service: str, ports: Mapping[str, int]) -> Seen:
    record = _record(home, service)
    address = target(ports, service) if service in ports else ""
    if not processes.running(record) or record is None or not address:
        state = "crashed" if record else "stopped"
        detail = processes.last_words(home.logs / f"{service}.log") if record else ""
        return Seen(service, state, None, address, detail)
    why = healthy(address, authority_of(home).operator(OPERATOR), timeout=_ANSWER_SECONDS)
    return Seen(service, "unhealthy" if why else "healthy", record.pid, address, why)


def _seen_postgres(home: Home) -> Seen:
    server = server_of(home, keys_of(home).administrator)
    record = _record(home, "postgres")
    if server.running():
        return Seen("postgres", "healthy", server.pid, server.host, "")
    return Seen("postgres", "crashed" if record else "stopped", None, server.host, "")
