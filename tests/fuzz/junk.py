"""Bad messages without end: noise, and good messages with something wrong. One seed, one sequence."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_WHOLE = (0, 1, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 500, 10**12, 10**12 + 1)
_TEXTS = (
    "",
    "x",
    "\0",
    "partners/grocer/entries/1-1",
    "partners/grocer/holds/63-9223372036854775807",
    "partners/../entries/1-99999999999999999999",
    "checkpoints/latest",
    "checkpoints/999999999999999999",
    "adjustments/1-00000000-0000-0000-0000-000000000000",
    "ü" * 64,
    "a" * 3000,
    "'; DROP TABLE ledger.entries; --",
    "\u202e\ufeff",
)
_LARGE = (64 * 1024, 1024 * 1024 + 1, 4 * 1024 * 1024 + 1)
_DEEP = 120


class Junk:
    """Messages for one method. `good` are requests that are well-formed, which is where most mistakes begin."""

    def __init__(self, kind: Descriptor, seed: str, good: Sequence[Message] = ()) -> None:
        self._kind = kind
        self._random = random.Random(seed)
        self._good = good

    def messages(self, count: int) -> Iterator[bytes]:
        """So many, the large ones rarely: each costs as much as a thousand small ones."""
        for number in range(count):
            yield self._large() if number % 1000 == 999 else self._small()

    def _small(self) -> bytes:
        way = self._random.randrange(8)
        if way == 0:
            return self._random.randbytes(self._random.randrange(1, 200))
        if way == 1:
            return self._nested()
        content = self._filled(self._kind).SerializeToString()
        if way <= 3:
            return content
        return self._mutated(content or self._random.randbytes(8))

    def _large(self) -> bytes:
        size = self._random.choice(_LARGE)
        filler = self._random.choice((b"\0", b"\xff", b"\x0a\x00", b"a"))
        return (filler * size)[:size]

    def _nested(self) -> bytes:
        """A field in a field in a field, deeper than anything is."""
        content = b""
        tag = bytes([self._random.randrange(1, 10) << 3 | 2])
        for _ in range(self._random.randrange(_DEEP)):
            content = tag + _varint(len(content)) + content
        return content

    def _mutated(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(self._random.randrange(1, 5)):
            at = self._random.randrange(len(changed) + 1)
            match self._random.randrange(5):
                case 0 if at < len(changed):
                    changed[at] ^= 1 << self._random.randrange(8)
                case 1:
                    del changed[at:]
                case 2:
                    changed[at:at] = self._random.randbytes(self._random.randrange(1, 12))
                case 3:
                    changed[at:at] = changed[: self._random.randrange(len(changed) + 1)]
                case _:
                    changed[at : at + 2] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
            if not changed:
                changed = bytearray(b"\x08")
        return bytes(changed)

    def _filled(self, kind: Descriptor, depth: int = 0) -> Message:
        """A message whose fields have the right types and whatever values; sometimes the good one with one of these."""
        message = GetMessageClass(kind)()
        if depth == 0 and self._good and self._random.random() < 0.5:
            message.CopyFrom(self._random.choice(self._good))
        for field in kind.fields:
            if self._random.random() < 0.4:
                self._set(message, field, depth)
        return message

    def _set(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return  # of the other ways some make one
        if field.message_type is not None:
            if depth < 3:
                values = [self._filled(field.message_type, depth + 1) for _ in range(self._random.randrange(1, 3))]
                if field.is_repeated:
                    getattr(message, field.name).extend(values)
                else:
                    getattr(message, field.name).CopyFrom(values[0])
            return
        value = self._value(field)
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)

    def _value(self, field: FieldDescriptor) -> object:
        choose = self._random.choice
        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
                return self._random.randbytes(self._random.randrange(100))
            case FieldDescriptor.CPPTYPE_STRING:
                return choose((*_TEXTS, str(uuid.UUID(int=self._random.getrandbits(128), version=4))))
            case FieldDescriptor.CPPTYPE_BOOL:
                return self._random.random() < 0.5
            case FieldDescriptor.CPPTYPE_ENUM | FieldDescriptor.CPPTYPE_INT32:
                return choose([number for number in _WHOLE if -(2**31) <= number < 2**31])
            case FieldDescriptor.CPPTYPE_UINT32 | FieldDescriptor.CPPTYPE_UINT64:
                return choose([number for number in _WHOLE if 0 <= number < 2**32])
            case _:
                return choose(_WHOLE)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)
