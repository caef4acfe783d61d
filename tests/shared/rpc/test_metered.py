"""Calls are counted by method and by the code that the caller saw, and read by a scrape on loopback."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.shared.home import TestHome
from tests.shared.rpc.echo import COUNT, NOBODY, SAY, Words
from tests.shared.rpc.process import ServerProcess
from tests.shared.rpc.refused import refused
from tests.support.ports import claimed

Counts = dict[tuple[str, str], float]


@pytest.fixture
def port() -> int:
    return claimed()


@pytest.fixture
def server(home: TestHome, port: int) -> Iterator[ServerProcess]:
    process = ServerProcess(home, metrics_port=port, drain_notice_seconds=0)
    yield process
    process.channel.close()
    process.terminate()
    assert process.ended() == 0


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def counts(text: str) -> Counts:
    return {
        (sample.labels["method"], sample.labels["code"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "rpc_seconds_count"
    }


def test_every_call_is_counted_by_method_and_code(server: ServerProcess, port: int) -> None:
    stub = server.stub(server.until("serving")["port"])
    stub.say(Words(text="a"), timeout=10)
    stub.say(Words(text="a"), timeout=10)
    refused(stub.say, Words())
    refused(stub.nobody, Words(text="a"))
    assert len(list(stub.count(Words(text="a", numbers=[1, 2]), timeout=10))) == 2
    assert counts(scraped(port)) == {
        (SAY, "OK"): 2,
        (SAY, "INVALID_ARGUMENT"): 1,
        (NOBODY, "PERMISSION_DENIED"): 1,
        (COUNT, "OK"): 1,
    }


def test_a_method_that_does_not_exist_makes_no_series(server: ServerProcess, port: int) -> None:
    server.stub(server.until("serving")["port"])
    strange = server.channel.unary_unary("/coalition.test.v1.EchoService/Guess", bytes, bytes)
    with pytest.raises(grpc.RpcError):
        strange(b"", timeout=10)
    assert counts(scraped(port)) == {}


def test_the_time_of_a_call_is_measured(server: ServerProcess, port: int) -> None:
    stub = server.stub(server.until("serving")["port"])
    stub.say(Words(text="aaa"), timeout=10)  # a tenth of a second for each letter
    families = {family.name: family for family in text_string_to_metric_families(scraped(port))}
    (total,) = [sample.value for sample in families["rpc_seconds"].samples if sample.name == "rpc_seconds_sum"]
    assert 0.3 <= total < 5


def test_a_taken_metrics_port_ends_the_process_with_one_sentence(home: TestHome) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = ServerProcess(home, metrics_port=port)
        assert process.ended() == 1
    ours = [line for line in process.lines if line.startswith("echo:")]
    assert ours == [f"echo: cannot serve metrics on 127.0.0.1:{port}: the port is taken"]
