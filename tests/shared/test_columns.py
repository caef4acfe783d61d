"""Columns as packed binary arrays arrive in the database as they were."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.db.columns import Blobs, Bools, Column, Days, Instants, Int2s, Int4s, Int8s, Texts, Uuids, register
from tests.support.databases import Databases

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MANY = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def connection(databases: Databases) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(databases.cluster.address(), autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        register(connection)
        yield connection


def came_back(connection: psycopg.Connection[tuple[object, ...]], column: Column, type_: str) -> list[object]:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(f"SELECT * FROM unnest(%b::{type_}[])".encode(), [column]).fetchall()
    return [value for (value,) in rows]


@pytest.mark.parametrize(
    ("column", "type_", "values"),
    [
        (Int2s, "int2", [0, -1, 2**15 - 1, -(2**15)]),
        (Int4s, "int4", [0, -1, 2**31 - 1, -(2**31)]),
        (Int8s, "int8", [0, -1, 2**63 - 1, -(2**63)]),
        (Int8s, "int8", [None, 5, None]),
        (Bools, "bool", [True, False, True]),
        (Days, "date", [date(2000, 1, 1), date(1, 1, 1), date(9999, 12, 31), None]),
        (Uuids, "uuid", [UUID(int=0), UUID(int=2**128 - 1)]),
        (Blobs, "bytea", [b"", b"\x00\xff", b"x" * 100_000]),
        (Texts, "text", ["", 'é\n,"{}', None, "x" * 10_000]),
    ],
)
def test_the_edges_survive(
    connection: psycopg.Connection[tuple[object, ...]], column: type, type_: str, values: Sequence[object]
) -> None:
    packed = column(values)
    assert packed.count == len(values)
    assert came_back(connection, packed, type_) == list(values)


@pytest.mark.parametrize("column", [Int2s, Int4s, Int8s, Bools, Instants, Days, Uuids, Blobs, Texts])
def test_nothing_is_an_empty_column(connection: psycopg.Connection[tuple[object, ...]], column: type) -> None:
    types = {Int2s: "int2", Int4s: "int4", Int8s: "int8", Bools: "bool", Instants: "timestamptz", Days: "date"}
    others = {Uuids: "uuid", Blobs: "bytea", Texts: "text"}
    assert came_back(connection, column([]), (types | others)[column]) == []


@given(st.lists(st.none() | st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999), max_size=20))
@MANY
def test_instants_are_exact_to_the_microsecond(
    connection: psycopg.Connection[tuple[object, ...]], values: list[int | None]
) -> None:
    expected = [None if value is None else EPOCH + timedelta(microseconds=value) for value in values]
    assert came_back(connection, Instants(values), "timestamptz") == expected


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), max_size=20))
@MANY
def test_any_text_survives(connection: psycopg.Connection[tuple[object, ...]], values: list[str | None]) -> None:
    assert came_back(connection, Texts(values), "text") == values


@pytest.mark.parametrize(("column", "value"), [(Int2s, 2**15), (Int4s, 2**31), (Int8s, 2**63), (Int8s, -(2**63) - 1)])
def test_what_does_not_fit_is_refused_before_it_is_sent(column: type, value: int) -> None:
    with pytest.raises(struct.error):
        column([value])


def test_several_columns_make_rows(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            "SELECT * FROM unnest(%b, %b, %b)", [Int4s([1, 2]), Texts(["a", None]), Blobs([b"x", b""])]
        ).fetchall()
    assert rows == [(1, "a", b"x"), (2, None, b"")]
