"""A server's life: ports, health, deadlines, rates, the end."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_health.v1 import health_pb2

from shared.rpc.deadline import time_left
from shared.rpc.health import CHECK
from shared.rpc.replay import mark_replay
from shared.rpc.server import CannotListen
from tests.shared.home import TestHome
from tests.shared.rpc.conftest import Running
from tests.shared.rpc.echo import SERVICE, Words, looking
from tests.shared.rpc.process import END, ServerProcess
from tests.shared.rpc.refused import Refused, refused, trailers
from tests.support.together import until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def checker(
    channel: grpc.Channel,
) -> grpc.UnaryUnaryMultiCallable[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]:
    """The health call."""
    return channel.unary_unary(
        CHECK, health_pb2.HealthCheckRequest.SerializeToString, health_pb2.HealthCheckResponse.FromString
    )


def test_a_port_is_held_by_one_server_alone(running: Running, home: TestHome) -> None:
    with pytest.raises(CannotListen, match=f"cannot listen on 127.0.0.1:{running.port}"):
        Running(home, listen=running.target)


def test_a_taken_port_ends_the_process_with_one_sentence(running: Running, home: TestHome) -> None:
    server = ServerProcess(home, listen=running.target)
    assert server.ended() == 1
    ours = [line for line in server.lines if line.startswith("echo:")]
    assert ours == [f"echo: cannot listen on {running.target}: the port is taken, or the host is not ours"]
    assert not any("Traceback" in line for line in server.lines)
    said = [json.loads(line)["event"] for line in server.lines if line.startswith("{")]  # gRPC says something, too
    assert said[-1] == "registered", "nothing is lost"
    assert server.lines[-1] == ours[0], "nothing comes behind the reason"


def test_a_process_that_falls_loses_no_line_and_says_why_at_the_end(home: TestHome) -> None:
    server = ServerProcess(home, falls=True, drain_notice_seconds=0)
    server.until("serving")
    server.terminate()
    assert server.ended() == 1
    last = next(number for number, line in enumerate(server.lines) if "writer ended" in line)
    assert server.lines[last + 1].startswith("Traceback")
    assert server.lines[-1] == "ValueError: fallen"


def test_sigterm_lets_running_calls_end_and_then_stops(home: TestHome) -> None:
    server = ServerProcess(home, drain_seconds=10)
    stub = server.stub(server.until("serving")["port"])
    answers = stub.count(Words(text="a", numbers=[1, 10**9]), timeout=10)  # a tenth of a second for each digit
    next(answers)
    server.terminate()
    assert [answer.text for answer in answers] == ["1000000000"]
    assert server.ended() == 0
    events = [json.loads(line)["event"] for line in server.lines if line.startswith("{")]
    assert events[-3:] == ["call answered", "writer ended", "stopped"]
    server.channel.close()


def test_a_signal_that_does_not_wake_the_main_thread_ends_the_process_too(home: TestHome) -> None:
    server = ServerProcess(home, drain_notice_seconds=0)
    server.stub(server.until("serving")["port"]).say(Words(text=END), timeout=10)
    server.channel.close()
    assert server.ended() == 0
    assert "stopped" in server.lines[-1]


def test_while_draining_health_says_not_serving(home: TestHome) -> None:
    server = ServerProcess(home, drain_notice_seconds=20, drain_seconds=1)
    server.stub(server.until("serving")["port"])
    check = checker(server.channel)
    assert check(health_pb2.HealthCheckRequest(), timeout=5).status == SERVING
    server.terminate()
    server.until("draining")
    until(lambda: check(health_pb2.HealthCheckRequest(), timeout=5).status == NOT_SERVING)
    server.terminate()  # the second signal ends the waiting
    assert server.ended() == 0
    server.channel.close()


@pytest.mark.parametrize("name", ["", SERVICE])
def test_health_follows_readiness(running: Running, name: str) -> None:
    check = checker(running.channel(running.home.authority.partner("grocer")))
    running.ready = False
    assert check(health_pb2.HealthCheckRequest(service=name), timeout=5).status == NOT_SERVING
    running.ready = True
    time.sleep(1.05)
    assert check(health_pb2.HealthCheckRequest(service=name), timeout=5).status == SERVING


def test_health_of_a_stranger_is_not_found(running: Running) -> None:
    check = checker(running.operator_channel())
    assert refused(check, health_pb2.HealthCheckRequest(service="x")).code is grpc.StatusCode.NOT_FOUND


def test_a_call_without_a_deadline_gets_ten_seconds(running: Running) -> None:
    ends: list[float] = []
    running.echo.behaviour = looking(lambda context: ends.append(time.monotonic() + time_left(context)))
    called = time.monotonic()
    running.service().say(Words(text="a"))
    assert called + 9.9 < ends[0] <= time.monotonic() + 10 - 0.020


def test_work_is_given_a_little_less_time_than_the_caller_gave(running: Running) -> None:
    seen: list[float] = []
    stub = running.service()
    stub.say(Words(text="a"), timeout=5)  # connected
    running.echo.behaviour = looking(lambda context: seen.extend((context.time_remaining(), time_left(context))))
    stub.say(Words(text="a"), timeout=30)
    calls, works = seen
    assert 20 < works <= calls - 0.020


def test_a_call_that_is_late_already_is_refused(running: Running) -> None:
    stub = running.service()
    stub.say(Words(text="a"), timeout=5)  # connected
    done: list[object] = []
    running.echo.behaviour = looking(done.append)
    with pytest.raises(grpc.RpcError) as caught:
        stub.say(Words(text="a"), timeout=0.09)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert not done


def test_a_stream_that_nobody_gave_a_deadline_does_not_hold_a_thread_for_ever(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.rpc.call.DEFAULT_SECONDS", 0.5)
    ended = threading.Event()

    def endless() -> Iterator[Words]:
        yield Words(text="a")
        ended.wait(20)

    with pytest.raises(grpc.RpcError) as caught:
        running.service().gather(endless())
    ended.set()
    assert caught.value.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_a_stream_whose_caller_went_away_between_two_answers_lets_go_of_what_it_held(running: Running) -> None:
    running.echo.behaviour = lambda _request, _context: Words(text="a" * 1_000_000)  # more than waits on its way
    answers = running.service().count(Words(text="a", numbers=range(1, 1_000)), timeout=20)
    next(answers)
    answers.cancel()
    assert "loop" not in running.echo.closed_by.get(timeout=5)


def test_a_stream_whose_caller_went_away_while_it_worked_lets_go_of_what_it_held(running: Running) -> None:
    """A step that waits for the database ends first: nothing is taken away under its hands."""
    begun, goes_on, over = threading.Event(), threading.Event(), threading.Event()

    def slow(request: Words, context: grpc.ServicerContext) -> Words:
        if request.text == "2":
            context.add_callback(over.set)
            begun.set()
            goes_on.wait(20)
        return request

    running.echo.behaviour = slow
    answers = running.service().count(Words(text="a", numbers=[1, 2, 3]), timeout=20)
    next(answers)
    assert begun.wait(5)
    answers.cancel()
    assert over.wait(5)
    assert running.echo.closed_by.empty()
    goes_on.set()
    assert "loop" not in running.echo.closed_by.get(timeout=5)


def test_a_replay_is_marked_beside_the_calls_own_id(running: Running) -> None:
    running.echo.behaviour = looking(mark_replay)
    _, call = running.service().say.with_call(Words(text="a"), timeout=5)
    assert trailers(call)["idempotent-replay"] == "true"
    assert trailers(call)["x-request-id"]


def test_who_asks_too_often_is_told_when_to_come_back(home: TestHome) -> None:
    running = Running(home, calls_per_second=2, calls_burst=3)
    try:
        stub = running.service()
        for _ in range(3):
            stub.say(Words(text="a"), timeout=5)
        with pytest.raises(grpc.RpcError) as too_often:  # by the fourth, if no half second has passed meanwhile
            _for_ever(partial(stub.say, Words(text="a"), timeout=5))
        got = Refused(too_often.value)
        assert (got.code, got.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
        assert 0 < int(got.info.metadata["retryAfterMs"]) <= 500
        assert got.detail(RetryInfo).retry_delay.nanos > 0
        assert running.service("settlement").say(Words(text="a"), timeout=5).text == "a"  # a limit of its own
        assert stub.gather(iter([Words(text="a")]), timeout=5).text == "a"  # per method
        time.sleep(0.6)  # at most 500 ms were named
        assert stub.say(Words(text="a"), timeout=5).text == "a"
    finally:
        running.stop()


def _for_ever(act: Callable[[], object]) -> None:
    while True:
        act()


def test_a_new_leaf_is_taken_up_without_a_restart(tmp_path: Path) -> None:
    home = TestHome(tmp_path)
    running = Running(home)
    try:
        running.service().say(Words(text="a"), timeout=5)
        leaf = home.authority.service("ledger")
        before = leaf.certificate_file.read_bytes()
        leaf.certificate_file.unlink()
        assert home.authority.service("ledger").certificate_file.read_bytes() != before
        time.sleep(1.05)
        running.service().say(Words(text="a"), timeout=5)
        assert served_certificate(running) == leaf.certificate_file.read_text()
    finally:
        running.stop()


def served_certificate(running: Running) -> str:
    leaf = running.home.authority.operator("anna")
    context = ssl.create_default_context(cafile=str(leaf.ca_file))
    context.load_cert_chain(leaf.certificate_file, leaf.key_file)
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection(("127.0.0.1", running.port))
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
        der = secure.getpeercert(binary_form=True)
    assert der
    return ssl.DER_cert_to_PEM_cert(der)
