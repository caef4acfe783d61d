"""Ports are chosen once; whoever is in the way is named."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from services.sandbox.home import Home
from services.sandbox.ports import LOOPBACK, free, ports_of, recorded_ports, taken
from services.sandbox.refusals import FileDamaged, NoFreePorts

SERVICES = ("identity", "ledger", "catalogue", "settlement")


@pytest.fixture
def occupied() -> Iterator[int]:
    """A port on which somebody else, we, listens."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield listener.getsockname()[1]


def test_free_ports_are_chosen_once_and_then_stay(home: Home) -> None:
    ports = ports_of(home, SERVICES, None)
    assert len(set(ports.values())) == len(SERVICES)
    assert all(free(port) for port in ports.values())
    assert ports_of(home, SERVICES, None) == ports == recorded_ports(home)


def test_a_service_that_comes_later_gets_a_port_and_the_others_keep_theirs(home: Home) -> None:
    before = ports_of(home, SERVICES, None)
    after = ports_of(home, (*SERVICES, "console"), None)
    assert {name: after[name] for name in SERVICES} == before
    assert after["console"] not in before.values()


def test_a_port_base_is_taken_as_it_is_and_recorded(home: Home) -> None:
    assert ports_of(home, SERVICES, 23_000) == {name: 23_000 + place for place, name in enumerate(SERVICES)}
    assert ports_of(home, SERVICES, None)["identity"] == 23_000


def test_an_occupied_port_is_not_free_and_its_holder_is_named(occupied: int) -> None:
    assert not free(occupied)
    refusal = taken("ledger", occupied)
    assert f"Port {occupied} of ledger is taken by " in str(refusal)
    assert f"(process {os.getpid()})" in str(refusal)
    assert "coalition up --port-base" in refusal.advice


def test_ports_beyond_the_last_one_are_refused(home: Home) -> None:
    with pytest.raises(NoFreePorts):
        ports_of(home, SERVICES, 65_534)


@pytest.mark.parametrize("content", ["{", "[]", '{"ledger": "many"}', '{"ledger": 0}'])
def test_a_damaged_record_is_one_line(home: Home, content: str) -> None:
    home.ports.write_text(content)
    with pytest.raises(FileDamaged, match=r"ports\.json"):
        ports_of(home, SERVICES, None)
