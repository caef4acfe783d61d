"""The loopback ports of the services: chosen once, written down, and from then on the same."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Sequence
from typing import Final

import psutil

from services.sandbox.home import Home, read_json, write_json
from services.sandbox.refusals import FileDamaged, NoFreePorts, PortTaken

LOOPBACK: Final = "127.0.0.1"
_FIRST, _LAST, _ROW = 20_000, 31_990, 10
"""Below the ports that the kernel gives to outgoing connections, so that none of those gets in the way later."""


def recorded_ports(home: Home) -> dict[str, int]:
    """The ports by service; empty where none were chosen yet."""
    content = read_json(home.ports) or {}
    ports = {name: port for name, port in content.items() if isinstance(port, int) and 0 < port < 65_536}
    if len(ports) != len(content):
        raise FileDamaged(file=home.ports, meaning="the ports that coalition wrote")
    return ports


def ports_of(home: Home, services: Sequence[str], base: int | None) -> dict[str, int]:
    """The recorded ports; those from `base` on where one is named; else free ones, chosen and recorded now."""
    recorded = recorded_ports(home) if base is None else {}
    new = [service for service in services if service not in recorded]
    if not new:
        return recorded
    first = _free_row(home, len(new), set(recorded.values())) if base is None else base
    if first + len(new) > 65_536:
        raise NoFreePorts(wanted=len(new), first=first)
    ports = recorded | {service: first + place for place, service in enumerate(new)}
    write_json(home.ports, ports)
    return ports


def free(port: int) -> bool:
    """Whether a service could listen there now."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def holder(port: int) -> psutil.Process | None:
    """Who listens there, as far as we are allowed to know."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and tuple(connection.laddr)[1:] == (port,) and connection.pid:
                return psutil.Process(connection.pid)
    except psutil.Error:
        return None
    return None


def taken(service: str, port: int) -> PortTaken:
    """The refusal that names who is in the way."""
    process = holder(port)
    by = f"{process.name()} (process {process.pid})" if process else "another program"
    suggestion = 7400 if not 7390 < port < 7420 else 7500
    return PortTaken(port=port, service=service, taken_by=by, suggestion=suggestion)


def _free_row(home: Home, wanted: int, besides: set[int]) -> int:
    """Each home looks from another place on, so that two that start at once do not meet."""
    places = (_LAST - _FIRST) // _ROW
    start = int.from_bytes(hashlib.sha256(os.fsencode(home.root)).digest()[:4], "big") % places
    for step in range(places):
        first = _FIRST + (start + step) % places * _ROW
        row = range(first, first + wanted)
        if besides.isdisjoint(row) and all(map(free, row)):
            return first
    raise NoFreePorts(wanted=wanted, first=_FIRST)
