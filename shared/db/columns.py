"""Columns as packed binary arrays: one parameter for a column of values, built in one go.

A Python list dumped element by element costs more than all the rules of the ledger; this is the largest single gain
of the write path. A column that two statements need is packed once.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = struct.Struct(">iiIii")
_NULL = b"\xff\xff\xff\xff"
_LENGTH = struct.Struct(">i").pack
_DAY_ZERO = date(2000, 1, 1).toordinal()
_MICROS_ZERO = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970
_FEW = 48


class Column:
    """One packed column. Subclasses name the element's type; `None` is NULL where a subclass allows it."""

    element_oid: ClassVar[int]
    array_oid: ClassVar[int]
    __slots__ = ("count", "packed")

    def __init__(self, body: bytes, count: int, *, has_null: bool = False) -> None:
        self.count = count
        self.packed = _HEADER.pack(1, has_null, self.element_oid, count, 1) + body


def _fixed(code: str, size: int, pack: Callable[[int, int], bytes], values: Sequence[Any]) -> bytes:
    """Whole numbers, each big-endian behind its size. Many are packed as one array, then spread byte by byte."""
    count = len(values)
    if count < _FEW:
        return b"".join([pack(size, value) for value in values])
    numbers = array(code, values)
    if sys.byteorder == "little":
        numbers.byteswap()
    raw, step = numbers.tobytes(), 4 + size
    body = bytearray(count * step)
    body[3::step] = bytes([size]) * count
    for byte in range(size):
        body[4 + byte :: step] = raw[byte::size]
    return bytes(body)


def _sparse(pack: Callable[[int, int], bytes], size: int, values: Sequence[int | None]) -> bytes:
    return b"".join([_NULL if value is None else pack(size, value) for value in values])


_INT2, _INT4, _INT8 = struct.Struct(">ih").pack, struct.Struct(">ii").pack, struct.Struct(">iq").pack


class Int2s(Column):
    """smallint[]."""

    element_oid, array_oid = 21, 1005

    def __init__(self, values: Sequence[int | None]) -> None:
        if None in values:
            super().__init__(_sparse(_INT2, 2, values), len(values), has_null=True)
        else:
            super().__init__(_fixed("h", 2, _INT2, values), len(values))


class Int4s(Column):
    """int[]."""

    element_oid, array_oid = 23, 1007

    def __init__(self, values: Sequence[int | None]) -> None:
        if None in values:
            super().__init__(_sparse(_INT4, 4, values), len(values), has_null=True)
        else:
            super().__init__(_fixed("i", 4, _INT4, values), len(values))


class Int8s(Column):
    """bigint[]."""

    element_oid, array_oid = 20, 1016

    def __init__(self, values: Sequence[int | None]) -> None:
        if None in values:
            super().__init__(_sparse(_INT8, 8, values), len(values), has_null=True)
        else:
            super().__init__(_fixed("q", 8, _INT8, values), len(values))


class Bools(Column):
    """boolean[]."""

    element_oid, array_oid = 16, 1000

    def __init__(self, values: Sequence[bool]) -> None:
        body = b"".join([b"\x00\x00\x00\x01\x01" if value else b"\x00\x00\x00\x01\x00" for value in values])
        super().__init__(body, len(values))


class Instants(Column):
    """Microseconds since 1970 as timestamptz."""

    element_oid, array_oid = 1184, 1185

    def __init__(self, values: Sequence[int | None]) -> None:
        if None in values:
            shifted = [None if value is None else value - _MICROS_ZERO for value in values]
            super().__init__(_sparse(_INT8, 8, shifted), len(values), has_null=True)
        else:
            super().__init__(_fixed("q", 8, _INT8, [(value or 0) - _MICROS_ZERO for value in values]), len(values))


class Days(Column):
    """date[]."""

    element_oid, array_oid = 1082, 1182

    def __init__(self, values: Sequence[date | None]) -> None:
        super().__init__(b"".join([_day(day) for day in values]), len(values), has_null=None in values)


@lru_cache(maxsize=4096)
def _day(day: date | None) -> bytes:
    return _NULL if day is None else _INT4(4, day.toordinal() - _DAY_ZERO)


class Uuids(Column):
    """uuid[]."""

    element_oid, array_oid = 2950, 2951

    def __init__(self, values: Sequence[UUID | None]) -> None:
        if None in values:
            body = b"".join([_NULL if value is None else b"\x00\x00\x00\x10" + value.bytes for value in values])
            super().__init__(body, len(values), has_null=True)
        else:
            packed = [value.int.to_bytes(16, "big") for value in values if value is not None]
            super().__init__(b"\x00\x00\x00\x10".join([b"", *packed]), len(values))


class Blobs(Column):
    """bytea[]."""

    element_oid, array_oid = 17, 1001

    def __init__(self, values: Sequence[bytes]) -> None:
        super().__init__(b"".join([_LENGTH(len(value)) + value for value in values]), len(values))


class Hashes(Column):
    """bytea[] of values of 32 bytes."""

    element_oid, array_oid = 17, 1001

    def __init__(self, values: Sequence[bytes]) -> None:
        super().__init__(b"\x00\x00\x00\x20".join([b"", *values]), len(values))
        if len(self.packed) != _HEADER.size + 36 * self.count:
            raise ValueError("a hash has 32 bytes")


class Texts(Column):
    """text[]."""

    element_oid, array_oid = 25, 1009

    def __init__(self, values: Sequence[str | None]) -> None:
        super().__init__(b"".join([_text(value) for value in values]), len(values), has_null=None in values)


class Names(Column):
    """text[] of values that come again and again: each is spelled once."""

    element_oid, array_oid = 25, 1009

    def __init__(self, values: Sequence[str | None]) -> None:
        super().__init__(b"".join([_name(value) for value in values]), len(values), has_null=None in values)


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    encoded = value.encode()
    return _LENGTH(len(encoded)) + encoded


_name = lru_cache(maxsize=8192)(_text)


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> Buffer | None:
        return obj.packed


_DUMPERS = [
    (column, type(f"{column.__name__}Dumper", (_ColumnDumper,), {"oid": column.array_oid}))
    for column in (Bools, Int2s, Int4s, Int8s, Instants, Days, Uuids, Blobs, Hashes, Texts, Names)
]


def register(connection: psycopg.Connection[object]) -> None:
    """Teach a connection these columns."""
    for column, dumper in _DUMPERS:
        connection.adapters.register_dumper(column, dumper)
