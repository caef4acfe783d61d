"""`up` finds what runs, starts what does not, and says in one line what is in its way."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from services.sandbox import clocks, processes
from services.sandbox.home import Home
from services.sandbox.keys import keys_of
from services.sandbox.partners import admit
from services.sandbox.platform import Platform, down, running_platform, status, up
from services.sandbox.ports import LOOPBACK, free, recorded_ports
from services.sandbox.refusals import FileMissing, NotUp, PortTaken, ServiceFailed
from services.sandbox.services import SERVICES
from tests.support.platform import BEGINNING
from tests.support.ports import claimed

EVERYTHING = ("postgres", *SERVICES)


def quiet(_: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose processes these tests may kill; each test brings it up again first."""
    home = Home(tmp_path_factory.mktemp("house"))
    yield home
    down(home, say=quiet)


@pytest.fixture
def running(house: Home) -> Platform:
    """The house, with everything in it up."""
    return up(house, say=quiet, clock=BEGINNING)


def pids(home: Home) -> dict[str, int]:
    found = {name: processes.recorded(name, home.run) for name in EVERYTHING}
    return {name: record.pid for name, record in found.items() if record and processes.running(record)}


def states(home: Home) -> dict[str, str]:
    return {seen.name: seen.state for seen in status(home)}


def kill(home: Home, name: str) -> None:
    pid = pids(home)[name]
    os.kill(pid, signal.SIGKILL)
    while processes.alive(pid):
        time.sleep(0.01)


def test_everything_is_healthy_after_up(running: Platform) -> None:
    assert states(running.home) == dict.fromkeys(EVERYTHING, "healthy")


def test_services_listen_on_loopback_and_postgres_on_no_port(running: Platform) -> None:
    for name, pid in pids(running.home).items():
        connections = psutil.Process(pid).net_connections("inet")
        listening = [one.laddr for one in connections if one.status == psutil.CONN_LISTEN]
        ports = recorded_ports(running.home)
        mine = [port for owner, port in ports.items() if owner in (name, f"{name}-metrics")]
        assert sorted(address[1] for address in listening) == sorted(mine)
        assert len(mine) == (2 if name in SERVICES else 0)
        assert all(ip_address(str(address[0]).removeprefix("::ffff:")).is_loopback for address in listening)


def test_no_secret_travels_in_the_environment_or_the_arguments(running: Platform) -> None:
    secrets = [path.read_bytes().strip() for path in running.home.secrets.iterdir()]
    assert len(secrets) == 1 + 3 * len(SERVICES)
    for pid in pids(running.home).values():
        told = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not [secret for secret in secrets if secret in told]


def test_a_running_service_is_not_told_its_owners_password(running: Platform) -> None:
    for name in SERVICES:
        environment = psutil.Process(pids(running.home)[name]).environ()
        assert not [setting for setting in environment if setting.endswith("OWNER_PASSWORD_FILE")]


def test_services_survive_whoever_connects_and_says_nothing(running: Platform) -> None:
    """A port scan, or a balancer's plain look: connections that end before the TLS handshake does."""
    before = pids(running.home)
    for target in running.targets.values():
        host, port = target.split(":")
        for _ in range(3_000):
            socket.create_connection((host, int(port))).close()
    assert pids(running.home) == before
    assert states(running.home) == dict.fromkeys(EVERYTHING, "healthy")


def test_a_second_up_finds_what_runs(running: Platform) -> None:
    before = pids(running.home)
    assert up(running.home, say=quiet).targets == running.targets
    assert pids(running.home) == before


def test_two_ups_at_once_start_everything_once(running: Platform) -> None:
    kill(running.home, "catalogue")
    said: list[str] = []
    threads = [threading.Thread(target=up, args=(running.home,), kwargs={"say": said.append}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("preparing the database of catalogue") == 1
    assert states(running.home) == dict.fromkeys(EVERYTHING, "healthy")


@pytest.mark.parametrize("name", EVERYTHING)
def test_what_was_killed_is_seen_and_started_again_alone(name: str, running: Platform) -> None:
    before = pids(running.home)
    kill(running.home, name)
    assert states(running.home)[name] == "crashed"
    up(running.home, say=quiet)
    after = pids(running.home)
    assert states(running.home) == dict.fromkeys(EVERYTHING, "healthy")
    assert {other for other in EVERYTHING if after[other] != before[other]} == {name}


def test_a_service_whose_record_was_lost_is_replaced(running: Platform) -> None:
    before = pids(running.home)["identity"]
    (running.home.run / "identity.json").unlink()
    up(running.home, say=quiet)
    assert not processes.alive(before)
    assert states(running.home)["identity"] == "healthy"


def test_an_occupied_port_is_one_line_with_a_way_out(running: Platform) -> None:
    port = recorded_ports(running.home)["ledger"]
    kill(running.home, "ledger")
    while not free(port):
        time.sleep(0.01)
    with socket.create_server((LOOPBACK, port)), pytest.raises(PortTaken) as refused:
        up(running.home, say=quiet)
    assert str(port) in str(refused.value)
    assert "--port-base" in refused.value.advice


def test_other_ports_are_taken_when_they_are_named(running: Platform) -> None:
    base = claimed()
    moved = up(running.home, say=quiet, port_base=base)
    assert moved.targets["identity"] == f"{LOOPBACK}:{base}"
    assert states(moved.home) == dict.fromkeys(EVERYTHING, "healthy")


def test_a_lost_key_is_one_line_and_is_not_replaced(running: Platform) -> None:
    path = keys_of(running.home).identity_master
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(FileMissing, match=r"identity-master\.key is missing: it encrypts personal data"):
        up(running.home, say=quiet)
    path.write_bytes(kept)
    path.chmod(0o600)
    up(running.home, say=quiet)


def test_looking_admitting_and_starting_never_found_another_authority(running: Platform) -> None:
    path = keys_of(running.home).ca_key
    kept = path.read_bytes()
    path.unlink()
    asks = (
        lambda: status(running.home),
        lambda: admit(running_platform(running.home), "corner-shop"),
        lambda: up(running.home, say=quiet),
    )
    for ask in asks:
        with pytest.raises(FileMissing, match=r"ca\.key is missing: it is the key of the development authority"):
            ask()
    assert not path.exists()
    path.write_bytes(kept)
    path.chmod(0o600)
    assert {seen.state for seen in status(running.home)} == {"healthy"}


def test_a_service_that_cannot_start_is_one_line_with_its_own_words(
    running: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(running.home, "ledger")
    with monkeypatch.context() as patched:
        patched.setattr("services.sandbox.services.BUCKETS", 65)
        with pytest.raises(ServiceFailed, match="The service ledger stopped while it was starting: ") as refused:
            up(running.home, say=quiet)
    assert "\n" not in str(refused.value)
    assert refused.value.advice.endswith(f"{running.home.logs / 'ledger.log'}.")
    up(running.home, say=quiet)


def test_taking_the_clock_away_restarts_the_services_with_the_machines_time(running: Platform) -> None:
    before = pids(running.home)
    up(running.home, say=quiet, clock="machine")
    after = pids(running.home)
    assert not clocks.has_clock(running.home)
    assert all(after[name] != before[name] for name in SERVICES)
    assert after["postgres"] == before["postgres"]


def test_down_stops_all_and_up_brings_back_what_was_stored(running: Platform) -> None:
    running.operator.close()
    assert down(running.home, say=quiet) == [*SERVICES, "postgres"]
    assert pids(running.home) == {}
    assert states(running.home) == dict.fromkeys(EVERYTHING, "stopped")
    assert down(running.home, say=quiet) == []
    with pytest.raises(NotUp):
        running_platform(running.home)
    assert up(running.home, say=quiet).targets == running.targets


def test_a_home_that_never_was_is_down(tmp_path: Path) -> None:
    home = Home(tmp_path / "nowhere")
    assert down(home, say=quiet) == []
    assert states(home) == dict.fromkeys(EVERYTHING, "stopped")
    assert not home.root.exists()
