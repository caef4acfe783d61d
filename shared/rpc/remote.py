"""Another service's refusal, kept whole, so that ours can pass it on unchanged."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from shared.refusal import Kind, Refusal
from shared.rpc.codes import DETAILS_KEY, KINDS, NUMBERS

_UNNAMED = {
    grpc.StatusCode.UNAVAILABLE: ("SERVICE_UNAVAILABLE", "A service that this call needs is away right now."),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("DEADLINE_EXCEEDED", "A service that this call needs did not answer in time."),
    grpc.StatusCode.RESOURCE_EXHAUSTED: ("SERVICE_BUSY", "A service that this call needs has too much to do."),
    grpc.StatusCode.CANCELLED: ("CALL_CANCELLED", "The call was given up before it was answered."),
}
_KIND_OF_NUMBER = {NUMBERS[code]: kind for code, kind in KINDS.items()}
_KIND_OF_UNNAMED = {grpc.StatusCode.CANCELLED: Kind.TOO_LATE}


class RemoteRefusal(Refusal):
    """What a callee answered: its kind, reason, metadata, text and further details. `code` is for logs."""

    kind = Kind.BUG
    message = "{text}"

    def __init__(
        self, kind: Kind, reason: str, text: str, metadata: dict[str, str], details: Sequence[AnyMessage] = ()
    ) -> None:
        super().__init__(text=text)
        self.__dict__["kind"] = kind  # of this refusal, not of its class
        self.details = tuple(details)
        self._reason = reason
        self._metadata = metadata

    @property
    def reason(self) -> str:
        return self._reason

    @property
    def metadata(self) -> dict[str, str]:
        return dict(self._metadata)

    @property
    def advice(self) -> str:
        """Nothing to add: the callee's text holds its remedy."""
        return ""


def remote_refusal(error: grpc.RpcError) -> RemoteRefusal:
    """The refusal in a failed call; what gRPC itself answered gets a name, and a text that tells no addresses."""
    code = error.code()
    status = _status_in(error)
    if status is not None and (refusal := refusal_in(status)).reason:
        return refusal
    reason, text = _UNNAMED.get(code, ("SERVICE_FAILED", "A service that this call needs failed."))
    kind = _KIND_OF_UNNAMED.get(code, KINDS.get(code, Kind.BUG)) if code in _UNNAMED else Kind.BUG
    return RemoteRefusal(kind, reason, text, {})


def refusal_in(status: Status) -> RemoteRefusal:
    """The refusal that a status holds: that of a failed call, or of one item of a batch."""
    info = ErrorInfo()
    rest = []
    for detail in status.details:
        if detail.TypeName() == "google.rpc.ErrorInfo":
            detail.Unpack(info)
        elif detail.TypeName() != "google.rpc.RequestInfo":  # our own caller gets our own call's id
            rest.append(detail)
    kind = _KIND_OF_NUMBER.get(status.code, Kind.BUG)
    return RemoteRefusal(kind, info.reason, status.message, dict(info.metadata), rest)


def _status_in(error: grpc.RpcError) -> Status | None:
    for item in error.trailing_metadata() or ():
        if item.key == DETAILS_KEY:
            try:
                return Status.FromString(item.value)
            except DecodeError:
                return None
    return None
