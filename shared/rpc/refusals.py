"""How a refusal looks on the wire: the only place where one becomes a status with details.

A status carries exactly one ErrorInfo, at most one of each other detail, at most twenty violations, and fits into the
trailers: past the peer's limit a whole answer turns into "stream removed".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn
from urllib.parse import quote

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from google.rpc.status_pb2 import Status

from shared.db.errors import refusal_of
from shared.log import get_logger
from shared.refusal import Kind, Refusal
from shared.rpc.call import CallContext
from shared.rpc.codes import CODES, DETAILS_KEY, DOMAIN, NUMBERS
from shared.rpc.invalid import FieldViolation, InvalidRequest
from shared.rpc.remote import RemoteRefusal, remote_refusal

MOST_VIOLATIONS = 20
_MOST_BYTES = 7_500  # of the 8 kB that peers take in trailers, names and ids of ours excepted
_MOST_TEXT = 500
_MOST_FACT = 300
_MOST_FACTS_BYTES = 2_500
_RETRY_MS = {Kind.CHANGED: 100, Kind.TOO_MUCH: 1000, Kind.DOWN: 1000}

log = get_logger()


class InternalFault(Refusal):
    """A bug of ours. The caller learns a number, the log the rest."""

    kind = Kind.BUG
    message = "Something went wrong on our side; it is recorded as incident {incident}."
    remedy = "Report the incident; repeat the call later with the same request id."


class Refusals:
    """The frame that renders: inside telemetry, outside everything that may refuse."""

    def begin(self, call: CallContext) -> None:
        """Nothing to do yet."""

    def end(self, call: CallContext, error: BaseException | None) -> None:
        """A refusal ends the call with its status, any other failure with what it amounts to."""
        if isinstance(error, Refusal):
            _abort(call, bland(error, call.call_id))
        if isinstance(error, Exception) and not call.aborted and call.is_active():
            _abort(call, _refusal_behind(error, call))  # else: said already, or nobody listens any more


def bland(refusal: Refusal, call_id: str) -> Refusal:
    """What a caller may read of it: of a bug of ours a number, the rest is in the log."""
    if refusal.kind is not Kind.BUG or isinstance(refusal, InternalFault | RemoteRefusal):
        return refusal
    log.error("bug", incident=call_id, reason=refusal.reason, detail=str(refusal), exc_info=refusal)
    return InternalFault(incident=call_id)


def status_of(refusal: Refusal, call_id: str) -> Status:
    """The refusal as `google.rpc.Status`, small enough for the trailers."""
    refusal = bland(refusal, call_id)
    text = _cut(f"{refusal} {refusal.advice}".strip(), _MOST_TEXT)
    named: list[Message] = [
        details.ErrorInfo(reason=refusal.reason[:63], domain=DOMAIN, metadata=_facts(refusal)),
        details.RequestInfo(request_id=call_id),
    ]
    if isinstance(refusal, RemoteRefusal):
        rest = list(refusal.details)
    else:
        rest = [_packed(detail) for detail in _further(refusal)]
    status = Status(code=NUMBERS[CODES[refusal.kind]], message=text, details=[*map(_packed, named), *rest])
    return _fitting(status)


def _facts(refusal: Refusal) -> dict[str, str]:
    """Every fact, each cut to what fits; facts of a sane length are never touched."""
    left = _MOST_FACTS_BYTES
    facts = {}
    for name, value in refusal.metadata.items():
        short = _cut(value, _MOST_FACT)
        left -= len(name) + len(short.encode()) + 8
        if left < 0:
            break
        facts[name] = short
    return facts


def _further(refusal: Refusal) -> Iterator[Message]:
    """The details that the kind asks for beside ErrorInfo."""
    advice = _cut(refusal.advice or str(refusal), _MOST_TEXT)
    subject = _cut(str(refusal.facts.get("resource", "")), _MOST_FACT)
    if refusal.kind is Kind.MALFORMED:
        yield details.BadRequest(field_violations=[_field(violation) for violation in _violations(refusal)])
    elif refusal.kind is Kind.NOT_NOW:
        failed = details.PreconditionFailure.Violation(type=refusal.reason, subject=subject, description=advice)
        yield details.PreconditionFailure(violations=[failed])
    elif refusal.kind is Kind.TOO_MUCH:
        yield details.QuotaFailure(violations=[details.QuotaFailure.Violation(subject=subject, description=advice)])
    if refusal.kind in _RETRY_MS:
        wait = refusal.facts.get("retry_after_ms", _RETRY_MS[refusal.kind])
        yield _retry(wait if isinstance(wait, int) else _RETRY_MS[refusal.kind])


def _violations(refusal: Refusal) -> list[FieldViolation]:
    """A refusal of many fields lists them; one that states the fact `field` is about that one."""
    if isinstance(refusal, InvalidRequest):
        return list(refusal.violations[:MOST_VIOLATIONS])
    return [FieldViolation(str(refusal.facts.get("field", "")), str(refusal), refusal.reason)]


def _field(violation: FieldViolation) -> details.BadRequest.FieldViolation:
    reason = "".join(letter if letter.isalnum() else "_" for letter in violation.rule).upper()
    return details.BadRequest.FieldViolation(
        field=_cut(violation.field, _MOST_FACT), description=_cut(violation.description, _MOST_FACT), reason=reason[:63]
    )


def _retry(wait_ms: int) -> details.RetryInfo:
    retry = details.RetryInfo()
    retry.retry_delay.FromTimedelta(timedelta(milliseconds=wait_ms))
    return retry


def _refusal_behind(error: Exception, call: CallContext) -> Refusal:
    """What an exception that nobody made a refusal amounts to."""
    if isinstance(error, NotImplementedError) and call.status is grpc.StatusCode.UNIMPLEMENTED:
        call.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")
    if isinstance(error, grpc.RpcError) and hasattr(error, "trailing_metadata"):
        return remote_refusal(error)
    refusal = refusal_of(error)
    if refusal is None:
        log.error("unexpected failure", incident=call.call_id, exc_info=error)
        return InternalFault(incident=call.call_id)
    log.warning("database trouble", error=type(error).__name__, reason=refusal.reason)
    return refusal


def _abort(call: CallContext, refusal: Refusal) -> NoReturn:
    status = status_of(refusal, call.call_id)
    call.reason = refusal.reason
    call.add_trailing(DETAILS_KEY, status.SerializeToString())
    call.abort(CODES[refusal.kind], status.message)


def _packed(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


def _fitting(status: Status) -> Status:
    """Leave out violations, then whole details, from the end, until the trailers hold the rest."""
    while _size(status) > _MOST_BYTES and len(status.details) > 1:
        last = status.details[-1]
        fields = details.BadRequest()
        if last.Unpack(fields) and len(fields.field_violations) > 1:
            del fields.field_violations[-1]
            last.Pack(fields)
        else:
            del status.details[-1]
    return status


def _size(status: Status) -> int:
    """Bytes in the trailers: details in base64, and the text once more, percent-encoded."""
    return status.ByteSize() * 4 // 3 + len(quote(status.message))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
