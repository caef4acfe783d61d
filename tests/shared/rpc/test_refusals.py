"""What a refusal looks like to a client, over real mTLS."""

import json

import grpc
import psycopg
import pytest
from google.rpc.error_details_pb2 import BadRequest, PreconditionFailure, QuotaFailure, RequestInfo, RetryInfo

from shared.refusal import Kind, Refusal
from shared.rpc.codes import CODES
from shared.rpc.invalid import FieldViolation, InvalidRequest
from shared.rpc.refusals import MOST_VIOLATIONS, status_of
from tests.shared.home import TestHome
from tests.shared.rpc.conftest import Running
from tests.shared.rpc.echo import Words, raising
from tests.shared.rpc.process import logged_by
from tests.shared.rpc.refused import refused, trailers


class InsufficientPoints(Refusal):
    kind = Kind.NOT_NOW
    message = "Wallet {wallet_id} has {available} points free."
    remedy = "Ask for at most {available}."


def of_kind(kind: Kind) -> type[Refusal]:
    return type("SomeReason", (Refusal,), {"kind": kind, "message": "No, because of {cause_of_it}."})


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.BUG])
def test_each_kind_has_its_code_and_exactly_one_error_info(running: Running, kind: Kind) -> None:
    running.echo.behaviour = raising(of_kind(kind)(cause_of_it="x"))
    got = refused(running.service().say, Words(text="a"))
    assert (got.code, got.reason, got.info.domain) == (CODES[kind], "SOME_REASON", "coalition")
    assert dict(got.info.metadata) == {"causeOfIt": "x"}
    assert got.text == got.status.message == "No, because of x."
    assert got.status.code == got.code.value[0]
    names = [detail.TypeName() for detail in got.status.details]
    assert len(names) == len(set(names))


def test_of_a_bug_of_ours_the_caller_learns_a_number_and_nothing_else(running: Running) -> None:
    running.echo.behaviour = raising(of_kind(Kind.BUG)(cause_of_it="the wallet of Anna"))
    got = refused(running.service().say, Words(text="a"))
    assert (got.code, got.reason, list(got.info.metadata)) == (CODES[Kind.BUG], "INTERNAL_FAULT", ["incident"])
    assert "Anna" not in got.text


@pytest.mark.parametrize("kind", [Kind.CHANGED, Kind.TOO_MUCH, Kind.DOWN])
def test_what_may_be_repeated_says_when(running: Running, kind: Kind) -> None:
    running.echo.behaviour = raising(of_kind(kind)(cause_of_it="x", retry_after_ms=1500))
    # The client's own retries of UNAVAILABLE end with the same answer.
    retry = refused(running.service().say, Words(text="a")).detail(RetryInfo)
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 500_000_000)


def test_a_failed_precondition_names_the_reason_and_the_remedy(running: Running) -> None:
    running.echo.behaviour = raising(InsufficientPoints(wallet_id="w1", available=5))
    got = refused(running.service().say, Words(text="a"))
    assert got.text == "Wallet w1 has 5 points free. Ask for at most 5."
    violation = got.detail(PreconditionFailure).violations[0]
    assert (violation.type, violation.description) == ("INSUFFICIENT_POINTS", "Ask for at most 5.")


def test_a_refusal_about_one_field_points_at_it(running: Running) -> None:
    running.echo.behaviour = raising(of_kind(Kind.MALFORMED)(cause_of_it="x", field="items[2].points"))
    violation = refused(running.service().say, Words(text="a")).detail(BadRequest).field_violations[0]
    assert (violation.field, violation.reason) == ("items[2].points", "SOME_REASON")


def test_every_answer_carries_the_id_of_the_call(running: Running) -> None:
    stub = running.service()
    _, call = stub.say.with_call(Words(text="a"), timeout=5)
    first = trailers(call)["x-request-id"]
    running.echo.behaviour = raising(InsufficientPoints(wallet_id="w1", available=5))
    got = refused(stub.say, Words(text="a"))
    assert got.detail(RequestInfo).request_id == got.call_id != first


def test_an_unexpected_error_tells_the_caller_only_an_incident(
    running: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    running.echo.behaviour = raising(KeyError("card 4000123412341234 of Anna"))
    got = refused(running.service().say, Words(text="a"))
    assert (got.code, got.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL_FAULT")
    assert "Anna" not in got.text + str(got.status)
    assert got.info.metadata["incident"] == got.call_id
    assert "Traceback" not in got.text


@pytest.mark.parametrize("method", ["say", "count", "gather"])
def test_no_arity_lets_an_exception_out_as_unknown(running: Running, method: str) -> None:
    running.echo.behaviour = raising(ValueError("secret"))
    request = Words(text="a", numbers=[1])
    got = refused(getattr(running.service(), method), iter([request]) if method == "gather" else request)
    assert (got.code, got.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL_FAULT")


def test_a_stream_may_be_refused_after_its_first_messages(running: Running) -> None:
    def behave(request: Words, _context: object) -> Words:
        if request.text == "3":
            raise InsufficientPoints(wallet_id="w1", available=5)
        return request

    running.echo.behaviour = behave
    answers = running.service().count(Words(text="a", numbers=[1, 2, 3, 4]), timeout=5)
    assert [next(answers).text, next(answers).text] == ["1", "2"]
    with pytest.raises(grpc.RpcError) as caught:
        next(answers)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_a_lost_database_is_unavailable_and_may_be_retried(running: Running) -> None:
    running.echo.behaviour = raising(psycopg.OperationalError("connection to /home/secret failed"))
    got = refused(running.service().say, Words(text="a"))
    assert (got.code, got.reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    assert "/home/secret" not in got.text
    assert got.detail(RetryInfo).retry_delay.nanos > 0


def test_a_method_nobody_wrote_is_unimplemented(running: Running) -> None:
    def behave(_request: object, context: grpc.ServicerContext) -> Words:
        context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        raise NotImplementedError

    running.echo.behaviour = behave
    assert refused(running.service().say, Words(text="a")).code is grpc.StatusCode.UNIMPLEMENTED


def test_details_stay_small_whatever_a_refusal_holds() -> None:
    many = InvalidRequest([FieldViolation(f"items[{n}]." + "ü" * 500, "ü" * 500, "rule.x") for n in range(500)])
    wordy = InsufficientPoints(wallet_id="ü" * 20_000, available="x" * 20_000)
    crowded = type("Crowded", (Refusal,), {"kind": Kind.TOO_MUCH, "message": "ü" * 5000})(
        **{f"fact_{n}": "ü" * 900 for n in range(90)}
    )
    for refusal in (many, wordy, crowded):
        status = status_of(refusal, "0123456789abcdef")
        assert status.ByteSize() < 6_000
        assert status.details[0].TypeName() == "google.rpc.ErrorInfo"


def test_at_most_twenty_violations_are_listed() -> None:
    status = status_of(InvalidRequest([FieldViolation("a", "b")] * 50), "id")
    bad = BadRequest()
    assert [detail.Unpack(bad) for detail in status.details][2]
    assert len(bad.field_violations) == MOST_VIOLATIONS


def test_a_quota_names_whose_it_is(running: Running) -> None:
    running.echo.behaviour = raising(of_kind(Kind.TOO_MUCH)(cause_of_it="x", resource="partner/grocer"))
    assert (
        refused(running.service().say, Words(text="a")).detail(QuotaFailure).violations[0].subject == "partner/grocer"
    )


def test_each_call_is_one_line_of_json_with_its_code_and_caller(home: TestHome) -> None:
    lines = [json.loads(line) for line in logged_by(home)]
    answered = [line for line in lines if line["event"] == "call answered"]
    assert [(line["code"], line["caller"], line["method"].rpartition("/")[2]) for line in answered] == [
        ("OK", "service/catalogue", "Say"),
        ("INVALID_ARGUMENT", "service/catalogue", "Say"),
    ]
    assert answered[1]["reason"] == "INVALID_REQUEST"
    assert all({"call_id", "ms", "service", "time", "level"} <= line.keys() for line in answered)
