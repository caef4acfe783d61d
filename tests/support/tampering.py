"""One value of a stored row, changed and put back: whoever checks the row has to notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql


@contextmanager
def put_instead(
    connection: psycopg.Connection[Any], table: sql.Identifier, column: str, row: str, value: object, other: object
) -> Iterator[None]:
    """While the block runs the column of the row (a ctid) holds the other value."""
    put = sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s::tid RETURNING ctid::text").format(
        table, sql.Identifier(column)
    )
    (moved,) = connection.execute(put, [other, row]).fetchone() or ("",)
    try:
        yield
    finally:
        connection.execute(put, [value, moved])


def nearly(value: Any) -> Any:  # noqa: ANN401  # whatever a column holds
    """The same with one bit, letter, microsecond or day changed. Raises TypeError for what is none of ours."""
    match value:
        case bool():
            return not value
        case int():
            return value ^ 1
        case Decimal():
            return value + 1
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case str():
            return value[:-1] + ("y" if value.endswith("x") else "x")
        case UUID():
            return UUID(int=value.int ^ 1)
        case datetime():
            return value + timedelta(microseconds=1)
        case date():
            return value + timedelta(days=1)
        case list():
            return [nearly(value[0]), *value[1:]]
        case _:
            raise TypeError(f"nobody knows what is nearly {value!r}")
