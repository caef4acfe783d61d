"""A pipeline of ours is psycopg's, except that whoever falls asleep after it is noticed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from shared.db.pipelines import pipelined
from tests.support.databases import Databases


@pytest.fixture
def connection(databases: Databases) -> Iterator[psycopg.Connection]:
    settings = "-c idle_in_transaction_session_timeout=200ms"
    with psycopg.connect(databases.cluster.address(), options=settings) as connection:
        yield connection


def test_statements_of_a_block_are_answered_when_it_ends(connection: psycopg.Connection) -> None:
    first, second = connection.cursor(), connection.cursor()
    with pipelined(connection):
        first.execute("SELECT 1")
        second.execute("SELECT 2 UNION SELECT 3 ORDER BY 1")
    assert (first.fetchall(), second.fetchall()) == ([(1,)], [(2,), (3,)])
    with pipelined(connection):
        first.execute("SELECT 4")
    assert first.fetchone() == (4,)


def test_the_first_error_is_raised_and_the_connection_can_be_used_again(connection: psycopg.Connection) -> None:
    cursor = connection.cursor()
    with pytest.raises(psycopg.errors.DivisionByZero), pipelined(connection):
        cursor.execute("SELECT 1 / 0")
    connection.rollback()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_transaction_that_sleeps_after_a_pipeline_is_ended_by_the_database(connection: psycopg.Connection) -> None:
    with pipelined(connection):
        connection.cursor().execute("SELECT 1")
    time.sleep(1)
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        connection.execute("SELECT 1")


def test_what_no_buffer_can_hold_goes_both_ways(connection: psycopg.Connection) -> None:
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    much = "x" * 4_000_000
    cursors = [connection.cursor() for _ in range(4)]
    with pipelined(connection):
        for cursor in cursors:
            cursor.execute("SELECT %s::text || 'y'", [much])
    assert [cursor.fetchone() for cursor in cursors] == [(much + "y",)] * 4
