"""From the wire to a refusal: a status with details, one item of a batch, or gRPC's own answer without any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import grpc
from coalition.client.refusals import TYPES
from coalition.client.refused import Answer, Refused, Violation
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

_DETAILS: Final = "grpc-status-details-bin"
_CALL_ID: Final = "x-request-id"
_CODES: Final[Mapping[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}
_GRPCS_OWN: Final[Mapping[grpc.StatusCode, str]] = {
    grpc.StatusCode.CANCELLED: "CALL_CANCELLED",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "SERVICE_BUSY",
    grpc.StatusCode.UNAVAILABLE: "SERVICE_UNAVAILABLE",
    grpc.StatusCode.UNIMPLEMENTED: "METHOD_UNKNOWN",
}
_TOO_LARGE: Final = "larger than max"


def refusal_of(status: Status) -> Refused:
    """The refusal of one item of a batch, typed as that of a single call would be."""
    info, asked, retry, fields = ErrorInfo(), RequestInfo(), RetryInfo(), BadRequest()
    for detail in status.details:
        for known in (info, asked, retry, fields):
            detail.Unpack(known)
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    return _typed(
        Answer(
            code=code,
            reason=info.reason or _reason_of(code, status.message),
            message=status.message,
            metadata=dict(info.metadata),
            violations=tuple(Violation(one.field, one.description, one.reason) for one in fields.field_violations),
            retry_after=retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None,
            call_id=asked.request_id,
        )
    )


def refusal_on_wire(code: grpc.StatusCode, text: str, trailing: Iterable[tuple[str, str | bytes]]) -> Refused:
    """The refusal that ended a call."""
    trailers = dict(trailing)
    details = trailers.get(_DETAILS)
    if isinstance(details, bytes):
        try:
            return refusal_of(Status.FromString(details))
        except DecodeError:
            pass  # then what gRPC says must do
    call_id = trailers.get(_CALL_ID, "")
    return _typed(Answer(code, _reason_of(code, text), text, call_id=call_id if isinstance(call_id, str) else ""))


def _reason_of(code: grpc.StatusCode, text: str) -> str:
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in text:
        return "MESSAGE_TOO_LARGE"
    return _GRPCS_OWN.get(code, code.name)


def _typed(answer: Answer) -> Refused:
    return TYPES.get(answer.reason, Refused)(answer)
