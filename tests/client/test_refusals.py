"""Every "no" is a typed exception with its facts; what gRPC says itself is typed too."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import grpc
import pytest
from coalition.client import (
    Coalition,
    DeadlineExceeded,
    InsufficientPoints,
    InvalidRequest,
    MessageTooLarge,
    MethodUnknown,
    Refused,
    ServiceBusy,
    ServiceUnavailable,
    Violation,
    connect,
    refusal_of,
)
from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo

from tests.client.house import AWARD, House, refuse, status_of

ASKED = pb.AwardPointsRequest()


def refusing(
    house: House, code: grpc.StatusCode, reason: str, metadata: dict[str, str] | None = None, *details: Message
) -> None:
    """Let every award be refused."""

    def award(request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        refuse(context, code, reason, metadata, details)

    house.on(AWARD, award)


def test_a_refusal_has_its_facts(house: House, coalition: Coalition) -> None:
    facts = {"available": "80", "requested": "100"}
    refusing(house, grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS", facts)
    with pytest.raises(InsufficientPoints) as caught:
        coalition.ledger.AwardPoints(ASKED)
    refused = caught.value
    assert (refused.available, refused.requested) == (80, 100)
    assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
    assert str(refused) == "INSUFFICIENT_POINTS: That is INSUFFICIENT_POINTS."
    assert not refused.repeatable


def test_an_unknown_reason_stays_refused(house: House, coalition: Coalition) -> None:
    refusing(house, grpc.StatusCode.FAILED_PRECONDITION, "INVENTED_LATER", {"why": "because"})
    with pytest.raises(Refused) as caught:
        coalition.ledger.AwardPoints(ASKED)
    assert type(caught.value) is Refused
    assert (caught.value.reason, caught.value.metadata) == ("INVENTED_LATER", {"why": "because"})


def test_a_malformed_request_names_its_fields(house: House, coalition: Coalition) -> None:
    fields = BadRequest(field_violations=[{"field": "lines[0].points", "description": "must be > 0", "reason": "GT"}])
    refusing(house, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", {}, fields)
    with pytest.raises(InvalidRequest) as caught:
        coalition.ledger.AwardPoints(ASKED)
    assert caught.value.violations == (Violation("lines[0].points", "must be > 0", "GT"),)


def test_a_refusal_says_when_to_come_back(house: House, coalition: Coalition) -> None:
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    refusing(house, grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", {}, retry)
    with pytest.raises(Refused) as caught:
        coalition.ledger.AwardPoints(ASKED)
    assert caught.value.retry_after == timedelta(seconds=1.5)
    assert caught.value.repeatable


def test_with_call_is_refused_alike(house: House, coalition: Coalition) -> None:
    refusing(house, grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS")
    with pytest.raises(InsufficientPoints):
        coalition.ledger.AwardPoints.with_call(ASKED)


def test_a_future_is_declined_before_anything_is_sent(house: House, coalition: Coalition) -> None:
    with pytest.raises(NotImplementedError, match="aio"):
        coalition.ledger.AwardPoints.future(ASKED)
    assert house.issued == []


def test_a_refusal_travels_between_processes(house: House, coalition: Coalition) -> None:
    refusing(house, grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS", {"available": "80"})
    with pytest.raises(InsufficientPoints) as caught:
        coalition.ledger.AwardPoints(ASKED)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.available, again.call_id) == (InsufficientPoints, 80, caught.value.call_id)


def test_an_item_of_a_batch_is_typed_as_a_call_is() -> None:
    status = status_of(grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS", {"available": "7"})
    refused = refusal_of(status)
    assert isinstance(refused, InsufficientPoints)
    assert (refused.available, refused.requested) == (7, 0)


def test_an_unknown_method_is_typed(coalition: Coalition) -> None:
    with pytest.raises(MethodUnknown):
        coalition.ledger.GetEntry(pb.GetEntryRequest())


def test_details_that_cannot_be_read_leave_what_grpc_says(house: House, coalition: Coalition) -> None:
    def award(request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        context.abort(grpc.StatusCode.INTERNAL, "Something broke.")

    house.on(AWARD, award)
    with pytest.raises(Refused) as caught:
        coalition.ledger.AwardPoints(ASKED)
    assert (caught.value.reason, caught.value.message) == ("INTERNAL", "Something broke.")


def test_a_late_answer_is_typed(house: House, coalition: Coalition) -> None:
    let_go = Event()

    def award(request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        let_go.wait(5)
        return pb.Entry()

    house.on(AWARD, award)
    with pytest.raises(DeadlineExceeded) as caught:
        coalition.ledger.AwardPoints(ASKED, timeout=0.2)
    let_go.set()
    assert caught.value.repeatable


def test_a_call_without_a_timeout_gets_ten_seconds(house: House, coalition: Coalition) -> None:
    house.on(AWARD, lambda request, context: pb.Entry())
    coalition.ledger.AwardPoints(ASKED)  # connected
    coalition.ledger.AwardPoints(ASKED)
    coalition.ledger.AwardPoints(ASKED, timeout=3)
    assert [round(seconds) for seconds in house.seconds[1:]] == [10, 3]


def test_the_default_deadline_is_the_callers_to_choose(house: House) -> None:
    house.on(AWARD, lambda request, context: pb.Entry())
    with connect(house.kit, deadline=2.0) as coalition:
        coalition.ledger.AwardPoints(ASKED)  # connected
        coalition.ledger.AwardPoints(ASKED)
    assert round(house.seconds[1]) == 2


def test_unavailable_is_tried_four_times_and_then_typed(house: House, coalition: Coalition) -> None:
    refusing(house, grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    began = time.monotonic()
    with pytest.raises(Refused) as caught:
        coalition.ledger.AwardPoints(ASKED)
    assert caught.value.reason == "DATABASE_UNAVAILABLE"
    assert len(house.bearers) == 4
    assert time.monotonic() - began < 5


def test_nothing_else_is_tried_again(house: House, coalition: Coalition) -> None:
    refusing(house, grpc.StatusCode.ABORTED, "OUTCOME_UNKNOWN")
    with pytest.raises(Refused):
        coalition.ledger.AwardPoints(ASKED)
    assert len(house.bearers) == 1


def test_a_service_that_is_away_is_typed_and_found_when_it_is_back(house: House, coalition: Coalition) -> None:
    house.on(AWARD, lambda request, context: pb.Entry())
    coalition.ledger.AwardPoints(ASKED)
    house.stop()
    with pytest.raises(ServiceUnavailable):
        coalition.ledger.AwardPoints(ASKED, timeout=5)


@contextmanager
def occupied(house: House, coalition: Coalition) -> Iterator[None]:
    """One call that stays in the service while the block runs."""
    arrived, let_go = Event(), Event()

    def award(request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        arrived.set()
        let_go.wait(10)
        return pb.Entry()

    house.on(AWARD, award)
    busy = Thread(target=coalition.ledger.AwardPoints, args=(ASKED,))
    busy.start()
    assert arrived.wait(5)
    yield
    let_go.set()
    busy.join()


def test_a_service_with_too_many_calls_is_typed(tmp_path: Path) -> None:
    house = House(tmp_path, concurrent=1)
    with connect(house.kit) as coalition, occupied(house, coalition), pytest.raises(ServiceBusy) as caught:
        coalition.ledger.AwardPoints(ASKED)
    house.stop()
    assert caught.value.repeatable


def test_a_message_beyond_grpcs_own_limit_is_typed_and_not_repeated(tmp_path: Path) -> None:
    house = House(tmp_path, largest=1024)
    house.on(AWARD, lambda request, context: pb.Entry())
    with connect(house.kit) as coalition, pytest.raises(MessageTooLarge) as caught:
        coalition.ledger.AwardPoints(pb.AwardPointsRequest(grant="g" * 2000))
    house.stop()
    assert not caught.value.repeatable


def test_a_certificate_of_another_authority_is_unavailable(house: House, tmp_path: Path) -> None:
    stranger = House(tmp_path / "other")
    for name in ("tls.pem", "tls.key"):
        (house.kit / name).write_bytes((stranger.kit / name).read_bytes())
    with connect(house.kit) as coalition, pytest.raises(ServiceUnavailable):
        coalition.ledger.AwardPoints(ASKED, timeout=5)
    stranger.stop()
    assert house.issued == []


def test_a_closed_client_says_so(house: House) -> None:
    coalition = connect(house.kit)
    coalition.close()
    with pytest.raises(ValueError, match="closed channel"):
        coalition.ledger.AwardPoints(ASKED)


def test_a_client_may_be_closed_while_others_call(house: House) -> None:
    house.on(AWARD, lambda request, context: pb.Entry())
    coalition = connect(house.kit)
    ended: list[str] = []

    def till() -> None:
        try:
            while True:
                coalition.ledger.AwardPoints(ASKED)
        except (Refused, ValueError) as error:
            ended.append(type(error).__name__)

    tills = [Thread(target=till) for _ in range(8)]
    for one in tills:
        one.start()
    time.sleep(0.2)
    coalition.close()
    for one in tills:
        one.join(5)
    assert len(ended) == 8
    assert set(ended) <= {"CallCancelled", "ValueError"}
