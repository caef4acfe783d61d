"""Columns as packed binary arrays: one parameter for a column of values, built with `struct` in one go.

A Python list dumped element by element costs more than all the rules of the ledger; this is the largest single gain
of the write path.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date
from itertools import chain, repeat
from typing import ClassVar
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


class Column:
    """One packed column. Subclasses name the element's type; `None` is NULL where a subclass allows it."""

    element_oid: ClassVar[int]
    array_oid: ClassVar[int]
    __slots__ = ("body", "count", "has_null")

    def __init__(self, body: bytes, count: int, has_null: bool = False) -> None:
        self.body = body
        self.count = count
        self.has_null = has_null

    def packed(self) -> bytes:
        return _HEADER.pack(1, self.has_null, self.element_oid, self.count, 1) + self.body


def _fixed(letter: str, size: int, values: Sequence[int]) -> bytes:
    return struct.pack(
        f">{('i' + letter) * len(values)}", *chain.from_iterable(zip(repeat(size), values, strict=False))
    )


def _varied(values: Sequence[bytes | None]) -> tuple[bytes, bool]:
    parts = [_NULL if value is None else _LENGTH(len(value)) + value for value in values]
    return b"".join(parts), None in values


class Int2s(Column):
    """smallint[]."""

    element_oid, array_oid = 21, 1005

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(_fixed("h", 2, values), len(values))


class Int4s(Column):
    """int[]."""

    element_oid, array_oid = 23, 1007

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(_fixed("i", 4, values), len(values))


class Int8s(Column):
    """bigint[]."""

    element_oid, array_oid = 20, 1016

    def __init__(self, values: Sequence[int | None]) -> None:
        if None in values:
            pack = struct.Struct(">q").pack
            body, _ = _varied([None if value is None else pack(value) for value in values])
            super().__init__(body, len(values), has_null=True)
        else:
            super().__init__(_fixed("q", 8, [value or 0 for value in values]), len(values))


class Bools(Column):
    """boolean[]."""

    element_oid, array_oid = 16, 1000

    def __init__(self, values: Sequence[bool]) -> None:
        super().__init__(_varied([b"\x01" if value else b"\x00" for value in values])[0], len(values))


class Instants(Column):
    """Microseconds since 1970 as timestamptz."""

    element_oid, array_oid = 1184, 1185

    def __init__(self, values: Sequence[int | None]) -> None:
        shifted = Int8s([None if value is None else value - _MICROS_ZERO for value in values])
        super().__init__(shifted.body, shifted.count, shifted.has_null)


class Days(Column):
    """date[]."""

    element_oid, array_oid = 1082, 1182

    def __init__(self, values: Sequence[date | None]) -> None:
        pack = struct.Struct(">i").pack
        body, has_null = _varied([None if day is None else pack(day.toordinal() - _DAY_ZERO) for day in values])
        super().__init__(body, len(values), has_null)


class Uuids(Column):
    """uuid[]."""

    element_oid, array_oid = 2950, 2951

    def __init__(self, values: Sequence[UUID]) -> None:
        super().__init__(b"".join([b"\x00\x00\x00\x10" + value.bytes for value in values]), len(values))


class Blobs(Column):
    """bytea[]."""

    element_oid, array_oid = 17, 1001

    def __init__(self, values: Sequence[bytes]) -> None:
        super().__init__(_varied(values)[0], len(values))


class Texts(Column):
    """text[]."""

    element_oid, array_oid = 25, 1009

    def __init__(self, values: Sequence[str | None]) -> None:
        body, has_null = _varied([None if value is None else value.encode() for value in values])
        super().__init__(body, len(values), has_null)


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> Buffer | None:
        return obj.packed()


_DUMPERS = [
    (column, type(f"{column.__name__}Dumper", (_ColumnDumper,), {"oid": column.array_oid}))
    for column in (Bools, Int2s, Int4s, Int8s, Instants, Days, Uuids, Blobs, Texts)
]


def register(connection: psycopg.Connection[object]) -> None:
    """Teach a connection these columns."""
    for column, dumper in _DUMPERS:
        connection.adapters.register_dumper(column, dumper)
