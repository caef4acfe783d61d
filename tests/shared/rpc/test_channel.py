"""One service calls another: refusals keep their meaning, ids travel, restarts are survived."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RequestInfo

from shared.refusal import Kind, Refusal
from shared.rpc.channel import RemoteRefusal, call, calling_metadata, service_channel
from shared.rpc.invalid import FieldViolation, InvalidRequest
from shared.rpc.remote import remote_refusal
from tests.shared.home import TestHome
from tests.shared.rpc.conftest import Running
from tests.shared.rpc.echo import Stub, Words, looking, raising
from tests.shared.rpc.refused import refused, trailers
from tests.support.ports import claimed


class ReceiptUsed(Refusal):
    kind = Kind.ALREADY
    message = "Receipt {receipt} was counted as {first_entry}."
    remedy = "Stop."


@pytest.fixture
def callee(home: TestHome) -> Iterator[Running]:
    callee = Running(home)
    yield callee
    callee.stop()


def test_a_callees_refusal_keeps_kind_reason_facts_and_text(callee: Running) -> None:
    callee.echo.behaviour = raising(ReceiptUsed(receipt="r1", first_entry="e1"))
    with pytest.raises(RemoteRefusal) as caught:
        call(callee.service().say, Words(text="a"), timeout=5)
    refusal = caught.value
    assert (refusal.kind, refusal.reason) == (Kind.ALREADY, "RECEIPT_USED")
    assert refusal.metadata == {"receipt": "r1", "firstEntry": "e1"}
    assert str(refusal) == "Receipt r1 was counted as e1. Stop."


def test_a_refusal_passed_on_reaches_the_first_caller_unchanged(running: Running, callee: Running) -> None:
    inner = callee.service()
    running.echo.behaviour = lambda request, _context: call(inner.say, request, timeout=5)
    callee.echo.behaviour = raising(InvalidRequest([FieldViolation("items[3].points", "too many", "points.max")]))
    direct, passed = refused(inner.say, Words(text="a")), refused(running.service().say, Words(text="a"))
    assert (passed.code, passed.reason, passed.text) == (direct.code, direct.reason, direct.text)
    assert dict(passed.info.metadata) == dict(direct.info.metadata)
    assert passed.detail(BadRequest) == direct.detail(BadRequest)
    assert passed.detail(RequestInfo).request_id == passed.call_id


def test_a_call_made_without_our_helper_still_ends_as_a_refusal(running: Running, callee: Running) -> None:
    inner = callee.service()
    running.echo.behaviour = lambda request, _context: inner.say(request, timeout=5)
    callee.echo.behaviour = raising(ReceiptUsed(receipt="r1", first_entry="e1"))
    assert refused(running.service().say, Words(text="a")).reason == "RECEIPT_USED"


def test_the_callee_learns_which_call_it_serves(running: Running, callee: Running) -> None:
    heard: list[str] = []

    def listen(context: grpc.ServicerContext) -> None:
        heard.extend(str(value) for key, value in context.invocation_metadata() if key == "x-request-id")

    callee.echo.behaviour = looking(listen)
    inner = callee.service()
    running.echo.behaviour = lambda request, _context: call(inner.say, request, timeout=5)
    _, finished = running.service().say.with_call(Words(text="a"), timeout=5)
    assert heard == [trailers(finished)["x-request-id"]]
    assert calling_metadata() == ()


def test_a_service_that_is_away_is_down_and_its_address_stays_with_us(home: TestHome) -> None:
    port = claimed()
    with service_channel(f"127.0.0.1:{port}", home.settings()) as channel, pytest.raises(RemoteRefusal) as caught:
        call(Stub(channel).say, Words(text="a"), timeout=5)
    assert (caught.value.kind, caught.value.reason) == (Kind.DOWN, "SERVICE_UNAVAILABLE")
    assert str(port) not in str(caught.value)


def test_a_service_that_does_not_answer_in_time_is_too_late(callee: Running) -> None:
    callee.echo.behaviour = looking(lambda _context: time.sleep(1))
    with pytest.raises(RemoteRefusal) as caught:
        call(callee.service().say, Words(text="a"), timeout=0.4)
    assert (caught.value.kind, caught.value.reason) == (Kind.TOO_LATE, "DEADLINE_EXCEEDED")


def test_a_method_the_callee_does_not_have_is_a_fault(callee: Running) -> None:
    channel = callee.channel(callee.home.authority.service("catalogue"))
    missing = channel.unary_unary("/coalition.test.v1.EchoService/Missing", Words.SerializeToString, Words.FromString)
    with pytest.raises(RemoteRefusal) as caught:
        call(missing, Words(text="a"), timeout=5)
    assert (caught.value.kind, caught.value.reason) == (Kind.BUG, "SERVICE_FAILED")


@dataclass(frozen=True)
class Bent:
    key: str = "grpc-status-details-bin"
    value: bytes = b"\xff\xff"


def test_bent_details_are_no_reason_to_fall_over() -> None:
    class Broken(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.NOT_FOUND

        def trailing_metadata(self) -> tuple[Bent, ...]:  # type: ignore[override]
            return (Bent(),)

    assert remote_refusal(Broken()).kind is Kind.BUG


def test_calls_survive_a_restart_of_the_callee(tmp_path: Path) -> None:
    home = TestHome(tmp_path)
    first = Running(home, listen=f"127.0.0.1:{claimed()}")  # nobody takes it while it is away
    with service_channel(first.target, home.settings()) as channel:
        stub = Stub(channel)
        call(stub.say, Words(text="a"), timeout=5)
        first.stop()
        restarted: list[Running] = []
        timer = threading.Timer(0.2, lambda: restarted.append(Running(home, listen=first.target)))
        timer.start()
        assert call(stub.say, Words(text="b"), timeout=10).text == "b"
        timer.join()
        restarted[0].stop()


def test_the_wrong_host_is_not_believed(callee: Running, tmp_path: Path) -> None:
    other = TestHome(tmp_path)
    with service_channel(callee.target, other.settings()) as channel, pytest.raises(RemoteRefusal) as caught:
        call(Stub(channel).say, Words(text="a"), timeout=5)
    assert caught.value.kind is Kind.DOWN
