"""Requests that look right: they keep the rules of their contract, with names and digests of things that exist.

What they say together is senseless, which is what the rules behind the contract are for.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Final

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from shared.rpc.validation import violations_of

_WORDS: Final = (
    *("", "7", "18:00", "usual", "models/usual", "calendars/usual", "EUR", "USD", "DE", "ECB", "Europe/Berlin"),
    "DE89370400440532013000",
)
_NUMBERS: Final = (0, 1, 1, 2, 3, 7, -5, 100, 10_000)
_DEEPEST: Final = 4
_TRIES: Final = 20
_BASE: Final = 1_768_478_400
"""The instant at which the platforms of tests begin, 2026-01-15T12:00Z, in seconds."""

_KNOWN: Final[Mapping[str, Callable[[random.Random], Mapping[str, object]]]] = {
    "google.type.Decimal": lambda at: {"value": at.choice(("0", "0.01", "0.009", "1", "3.5"))},
    "google.type.Money": lambda at: {"currency_code": at.choice(("EUR", "USD")), "units": at.choice(_NUMBERS)},
    "google.type.Date": lambda at: {"year": 2026, "month": at.randrange(1, 4), "day": at.randrange(1, 29)},
    "google.protobuf.Timestamp": lambda at: {"seconds": _BASE + at.randrange(-40, 40) * 86_400},
}


class Likely:
    """Makes requests of one kind. `found`: texts and digests that the service itself has answered."""

    def __init__(self, kind: Descriptor, seed: str, found: Collection[str | bytes] = ()) -> None:
        self._kind = kind
        self._random = random.Random(seed)
        self._texts = [*(one for one in found if isinstance(one, str)), *_WORDS]
        self._bytes = [*(one for one in found if isinstance(one, bytes)), bytes(32)]
        self._fitting: dict[str, list[str]] = {}

    def requests(self, count: int) -> list[Message]:
        """So many."""
        return [self._valid() for _ in range(count)]

    def _valid(self) -> Message:
        """One that keeps the rules; after some tries, one that almost does."""
        made = self._made(self._kind)
        for _ in range(_TRIES):
            if not violations_of(made):
                break
            made = self._made(self._kind)
        return made

    def _made(self, kind: Descriptor, depth: int = 0) -> Message:
        if kind.full_name in _KNOWN:
            return GetMessageClass(kind)(**_KNOWN[kind.full_name](self._random))
        message = GetMessageClass(kind)()
        for field in kind.fields:
            rules = _rules(field)
            if (rules.ByteSize() and self._random.random() < 0.9) or self._random.random() < 0.5:
                self._set(message, field, rules, depth)
        return message

    def _set(self, message: Message, field: FieldDescriptor, rules: validate_pb2.FieldRules, depth: int) -> None:
        if field.message_type is not None and (field.message_type.GetOptions().map_entry or depth == _DEEPEST):
            return
        if field.is_repeated:
            values = [self._value(field, rules.repeated.items, depth) for _ in range(self._random.randrange(1, 3))]
            getattr(message, field.name).extend(values)
            return
        value = self._value(field, rules, depth)
        if isinstance(value, Message):
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)

    def _value(self, field: FieldDescriptor, rules: validate_pb2.FieldRules, depth: int) -> object:
        choose = self._random.choice
        if field.message_type is not None:
            return self._made(field.message_type, depth + 1)
        if field.enum_type is not None:
            among = getattr(rules.enum, "in") or [value.number for value in field.enum_type.values]
            return choose([number for number in among if number not in rules.enum.not_in])
        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
                return choose(self._bytes)
            case FieldDescriptor.CPPTYPE_STRING:
                return self._text(rules.string)
            case FieldDescriptor.CPPTYPE_BOOL:
                return choose((True, False))
            case _:
                return choose(_NUMBERS)

    def _text(self, rules: validate_pb2.StringRules) -> str:
        if rules.uuid:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        if among := getattr(rules, "in"):
            return str(self._random.choice(among))
        if rules.pattern not in self._fitting:
            self._fitting[rules.pattern] = [one for one in self._texts if re.search(rules.pattern, one)]
        known = self._random.random() < 0.5
        return self._random.choice((known and self._fitting[rules.pattern]) or self._plain(rules.pattern))

    def _plain(self, pattern: str) -> list[str]:
        return [one for one in _WORDS if re.search(pattern, one)] or self._fitting[pattern] or self._texts


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    found: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]  # type: ignore[index]  # the stub has another generator's descriptors
    return found
