"""Resources as commands show them: fields by the contract's own names, amounts and hashes as people write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from services.cli.settle.ways import money, pages

Row = dict[str, object]

Field = Any
"""The descriptor of a field, whose class differs between the runtimes of protobuf."""


def shown(message: Message, *columns: str) -> Row:
    """The fields of a resource, or only some; messages that are not set are left out."""
    fields = [one for one in message.DESCRIPTOR.fields if not columns or one.name in columns]
    present = [one for one in fields if not one.has_presence or message.HasField(one.name)]
    return {one.name: _value(one, getattr(message, one.name)) for one in present}


def listed(method: grpc.UnaryUnaryMultiCallable[Any, Any], request: Message, field: str, *columns: str) -> list[Row]:
    """All that a List call has, page by page."""
    return [shown(one, *columns) for page in pages(method, request) for one in getattr(page, field)]


def _value(field: Field, value: Any) -> object:  # noqa: ANN401 - whatever a field may hold
    if field.is_repeated:
        values: Iterable[Any] = value
        return [_one(field, one) for one in values]
    return _one(field, value)


def _one(field: Field, value: Any) -> object:  # noqa: ANN401 - as above
    if field.enum_type is not None:
        prefix = "".join(f"_{one}" if one.isupper() else one for one in field.enum_type.name).lstrip("_").upper()
        return field.enum_type.values_by_number[value].name.removeprefix(f"{prefix}_")
    match value:
        case Money():
            return money(value)
        case Decimal():
            return value.value
        case Date():
            return f"{value.year:04}-{value.month:02}-{value.day:02}"
        case Timestamp():
            return value.ToJsonString()
        case Message():
            return shown(value)
        case bytes():
            return value.hex()
    return value
