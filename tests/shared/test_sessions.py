"""Transactions have an end, and whatever breaks one is a refusal that says whether something happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from shared.db.engine import make_engine
from shared.db.errors import Contention, DatabaseBusy, DatabaseUnavailable, OutcomeUnknown, StatementTooSlow
from shared.db.sessions import Sessions, cursor_of
from tests.support.databases import Databases

COUNT = text("SELECT count(*) FROM settlement.things")
ADD = text("INSERT INTO settlement.things VALUES (:id)")


class Stage:
    """A database with one table, and its superuser."""

    def __init__(self, databases: Databases) -> None:
        settings = databases.empty("settlement")
        self.address = databases.cluster.address(str(settings["database_name"]))
        self.engine: Engine = make_engine(
            databases.service_settings(settings | {"database_pool_wait_seconds": 1}), pool_size=2
        )
        self.sessions = Sessions(self.engine)
        with psycopg.connect(self.address, autocommit=True) as admin:
            admin.execute("CREATE TABLE settlement.things (id int PRIMARY KEY)")
            admin.execute("GRANT USAGE ON SCHEMA settlement TO settlement_app")
            admin.execute("GRANT SELECT, INSERT ON settlement.things TO settlement_app")

    def count(self) -> int:
        with self.sessions.reading(5) as connection:
            return int(connection.execute(COUNT).scalar_one())

    def kill_backends(self) -> None:
        with psycopg.connect(self.address, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = 'settlement_app'"
            )

    def add(self, *ids: int, then: Callable[[], object] = lambda: None) -> None:
        """Rows in one transaction; `then` is done between the first and the others."""
        with self.sessions.writing(5) as connection:
            connection.execute(ADD, {"id": ids[0]})
            then()
            for id_ in ids[1:]:
                connection.execute(ADD, {"id": id_})


@pytest.fixture(scope="module")
def shared_stage(databases: Databases) -> Iterator[Stage]:
    stage = Stage(databases)
    yield stage
    stage.engine.dispose()


@pytest.fixture
def stage(shared_stage: Stage) -> Stage:
    """Empty."""
    with psycopg.connect(shared_stage.address, autocommit=True) as admin:
        admin.execute("TRUNCATE settlement.things")
    return shared_stage


def test_what_is_written_counts_at_the_end_of_the_block(stage: Stage) -> None:
    with stage.sessions.writing(5) as connection:
        connection.execute(ADD, {"id": 1})
        assert stage.count() == 0
    assert stage.count() == 1


def test_what_raises_leaves_nothing_behind(stage: Stage) -> None:
    with pytest.raises(LookupError):
        stage.add(1, then=_fails)
    assert stage.count() == 0


def test_a_reading_transaction_cannot_write(stage: Stage) -> None:
    for reading in (stage.sessions.reading, stage.sessions.snapshot):
        with pytest.raises(DatabaseUnavailable), reading(5) as connection:  # as if on a standby
            connection.execute(ADD, {"id": 1})
    assert stage.count() == 0


def test_a_snapshot_sees_one_moment(stage: Stage) -> None:
    with stage.sessions.snapshot(5) as connection:
        assert connection.execute(COUNT).scalar_one() == 0
        with stage.sessions.writing(5) as other:
            other.execute(ADD, {"id": 1})
        assert connection.execute(COUNT).scalar_one() == 0
    with stage.sessions.reading(5) as connection:
        assert connection.execute(COUNT).scalar_one() == 1


def test_no_statement_outlives_the_time_of_its_call(stage: Stage) -> None:
    with pytest.raises(StatementTooSlow), stage.sessions.reading(0.05) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    with stage.sessions.reading(5) as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "5s"


def test_a_lock_that_does_not_come_free_is_contention_or_too_slow(stage: Stage) -> None:
    with stage.sessions.writing(5) as holder:
        holder.execute(ADD, {"id": 1})
        with pytest.raises((Contention, StatementTooSlow)), stage.sessions.writing(0.1) as connection:
            connection.execute(ADD, {"id": 1})
    assert stage.count() == 1


def test_a_lost_connection_is_unavailable_and_the_next_call_works(stage: Stage) -> None:
    with pytest.raises(DatabaseUnavailable):
        stage.add(1, 2, then=stage.kill_backends)
    assert stage.count() == 0


def test_a_connection_that_breaks_in_the_commit_leaves_its_fate_unknown(stage: Stage) -> None:
    @event.listens_for(stage.engine, "commit", once=True)
    def _dies(_connection: object) -> None:
        stage.kill_backends()

    with pytest.raises(OutcomeUnknown), stage.sessions.writing(5) as connection:
        connection.execute(ADD, {"id": 1})
    assert stage.count() == 0


def test_a_full_pool_is_too_much(stage: Stage) -> None:
    release, held = threading.Event(), threading.Barrier(3)

    def hold() -> None:
        with stage.sessions.reading(5):
            held.wait(10)
            release.wait(10)

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for holder in holders:
        holder.start()
    held.wait(10)
    try:
        with pytest.raises(DatabaseBusy), stage.sessions.reading(5):
            pass
    finally:
        release.set()
        for holder in holders:
            holder.join()


def test_what_is_a_bug_of_ours_stays_one(stage: Stage) -> None:
    with pytest.raises(IntegrityError):
        stage.add(1, 1)
    with pytest.raises(ProgrammingError), stage.sessions.reading(5) as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))


def test_the_drivers_cursor_is_part_of_the_transaction(stage: Stage) -> None:
    def adds_and_fails() -> None:
        with stage.sessions.writing(5) as connection:
            cursor_of(connection).execute("INSERT INTO settlement.things VALUES (7)")
            _fails()

    with pytest.raises(LookupError):
        adds_and_fails()
    assert stage.count() == 0


def _fails() -> None:
    raise LookupError


def test_a_rehearsal_sees_what_it_did_and_leaves_nothing(stage: Stage) -> None:
    with stage.sessions.rehearsing(5):
        stage.add(1, 2)
        assert stage.count() == 2, "a later transaction of the thread is a part of it"
        with stage.sessions.snapshot(5) as connection:
            assert connection.execute(COUNT).scalar_one() == 2
    assert stage.count() == 0
    stage.add(1, 2)
    assert stage.count() == 2


def test_in_a_rehearsal_too_a_transaction_that_raises_leaves_nothing_and_the_next_goes_on(stage: Stage) -> None:
    with stage.sessions.rehearsing(5):
        stage.add(1)
        with pytest.raises(IntegrityError):
            stage.add(2, 1)
        assert stage.count() == 1
        stage.add(3)
        assert stage.count() == 2
    assert stage.count() == 0


def test_what_is_raised_goes_through_a_rehearsal_and_ends_it(stage: Stage) -> None:
    with pytest.raises(ZeroDivisionError), stage.sessions.rehearsing(5):  # noqa: PT012
        stage.add(1)
        raise ZeroDivisionError
    stage.add(1)
    assert stage.count() == 1


def test_a_rehearsal_is_its_own_threads_alone(stage: Stage) -> None:
    other = threading.Thread(target=stage.add, args=(7,))
    with stage.sessions.rehearsing(5):
        stage.add(1)
        other.start()
        other.join()
    assert stage.count() == 1
