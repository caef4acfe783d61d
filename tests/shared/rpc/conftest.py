"""A running mTLS server on loopback, and callers with all kinds of certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from shared.credentials.authority import Leaf
from shared.rpc.channel import open_channel
from shared.rpc.server import Limits, build_server
from tests.shared.home import StillClock, TestHome
from tests.shared.rpc.echo import ACCESS, COUNT, ISSUE, SERVICE, Echo, Stub


class Running:
    """The server under test and the ways to call it."""

    def __init__(self, home: TestHome, waiting_calls: int = 0, **settings: object) -> None:
        self.home = home
        self.clock = StillClock()
        self.echo = Echo(waits=waiting_calls > 0)
        self.ready = True
        self.server, self.port = build_server(
            name="echo",
            settings=home.settings(**settings),
            clock=self.clock,
            access=ACCESS,
            register=self.echo.register,
            service_names=[SERVICE],
            ready=lambda: self.ready,
            limits=Limits(threads=4, waiting_calls=waiting_calls, per_method_bytes={COUNT: 1_000_000}),
            tokenless=frozenset({ISSUE}),
        )
        self.server.start()
        self.channels: list[grpc.Channel] = []

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def channel(self, leaf: Leaf) -> grpc.Channel:
        channel = open_channel(self.target, leaf.ca_file, leaf.certificate_file, leaf.key_file)
        self.channels.append(channel)
        return channel

    def service(self, name: str = "catalogue") -> Stub:
        return Stub(self.channel(self.home.authority.service(name)))

    def operator_channel(self) -> grpc.Channel:
        return self.channel(self.home.authority.operator("anna"))

    def operator(self) -> Stub:
        return Stub(self.operator_channel())

    def partner(self, partner: str = "grocer") -> Stub:
        return Stub(self.channel(self.home.authority.partner(partner)))

    def bearer(self, partner: str = "grocer") -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.home.token(partner)}"),)

    def stop(self) -> None:
        for channel in self.channels:
            channel.close()
        self.server.stop(None).wait()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> TestHome:
    folder: Path = tmp_path_factory.mktemp("home")
    return TestHome(folder)


@pytest.fixture(params=[0, 100], ids=["threads", "loop"])
def running(home: TestHome, request: pytest.FixtureRequest) -> Iterator[Running]:
    """Both kinds of server: a caller must not notice which one answers."""
    running = Running(home, waiting_calls=request.param)
    yield running
    running.stop()
