"""Catching a refusal as a client sees it, with its details taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

M = TypeVar("M", bound=Message)


class Refused:
    """A failed call: its code, its text, its details, its trailers."""

    def __init__(self, error: grpc.RpcError) -> None:
        self.code = error.code()
        self.text = error.details() or ""
        found = {item.key: item.value for item in error.trailing_metadata() or ()}
        content = found.get("grpc-status-details-bin")
        self.status = Status.FromString(content) if content else Status()
        self.call_id = str(found.get("x-request-id"))
        infos = [detail for detail in self.status.details if detail.TypeName() == "google.rpc.ErrorInfo"]
        self.info = ErrorInfo()
        if infos:
            assert len(infos) == 1
            infos[0].Unpack(self.info)

    @property
    def reason(self) -> str:
        return self.info.reason

    def detail(self, kind: type[M]) -> M:
        found = [detail for detail in self.status.details if detail.TypeName() == kind.DESCRIPTOR.full_name]
        assert len(found) == 1, [detail.TypeName() for detail in self.status.details]
        message = kind()
        found[0].Unpack(message)
        return message


def refused(call: Callable[..., object], request: object, metadata: Sequence[tuple[str, str]] | None = None) -> Refused:
    """The refusal of a call that must not succeed; a stream is read to its end."""
    with pytest.raises(grpc.RpcError) as caught:
        _finish(call(request, timeout=10, metadata=metadata))
    return Refused(caught.value)


def trailers(call: grpc.Call) -> dict[str, str]:
    """What came behind an answer, as text."""
    return {str(key): str(value) for key, value in call.trailing_metadata() or ()}


def _finish(answer: object) -> None:
    if isinstance(answer, Iterator):
        list(answer)
