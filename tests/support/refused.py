"""What a refused call said, taken apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from google.rpc.status_pb2 import Status

from shared.rpc.codes import NUMBERS

D = TypeVar("D", bound=Message)


_ROOT = Path(__file__).parents[2]


class Refused:
    """A refused call: its code, its reason and its details."""

    def __init__(self, error: grpc.RpcError) -> None:
        self.code = error.code()
        self.text = error.details() or ""
        self.status = Status()
        trailing = {item.key: item.value for item in error.trailing_metadata() or ()}
        content = trailing.get("grpc-status-details-bin", b"")
        assert isinstance(content, bytes)
        self.status.ParseFromString(content)

    @classmethod
    def of(cls, call: Callable[[], object]) -> Refused:
        """The refusal that the call must meet."""
        with pytest.raises(grpc.RpcError) as caught:
            call()
        return cls(caught.value)

    @property
    def reason(self) -> str:
        info = self.detail(details.ErrorInfo)
        return info.reason if info else ""

    @property
    def metadata(self) -> dict[str, str]:
        info = self.detail(details.ErrorInfo)
        return dict(info.metadata) if info else {}

    @property
    def fields(self) -> list[str]:
        """The paths of the fields that break a rule."""
        found = self.detail(details.BadRequest)
        return [violation.field for violation in found.field_violations] if found else []

    def detail(self, kind: type[D]) -> D | None:
        """The one detail of that kind."""
        name = f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"
        found = [packed for packed in self.status.details if packed.type_url == name]
        assert len(found) <= 1
        if not found:
            return None
        message = kind()
        found[0].Unpack(message)
        return message

    def well_formed(self) -> bool:
        """Code and text agree with the details, there is exactly one reason, and nothing of ours leaks out."""
        leaks = ("Traceback", "psycopg", "sqlalchemy", "Exception", str(_ROOT), "0x")
        return (
            self.status.code == NUMBERS[self.code]
            and self.status.message == self.text
            and bool(self.reason)
            and not any(leak in self.text for leak in leaks)
        )
