"""Leases: every stripe has one process that posts for it, and whoever only believes to have it is fenced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Engine

from services.ledger.store.deployment import prepare
from services.ledger.store.leases import Leases
from services.ledger.store.stripes import buckets_of, stripe_count, stripe_of
from shared.db.engine import make_engine
from tests.support.databases import Databases
from tests.support.together import at_once, until

BUCKETS = 40
STRIPES = 16
SECONDS = 1
LONG = 30
"""For those who must not wait for the end of a lease, however slow the machine is."""


class Ledgers:
    """Processes of one ledger, as far as their leases go."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self.settings = databases.fresh("ledger")
        self.address = databases.cluster.address(str(self.settings["database_name"]))
        self._engines: list[Engine] = []
        self._made: list[Leases] = []
        prepare(self.engine(), BUCKETS)

    def engine(self, idle_seconds: int = SECONDS) -> Engine:
        settings = self._databases.service_settings(self.settings)
        self._engines.append(make_engine(settings, pool_size=2, idle_seconds=idle_seconds))
        return self._engines[-1]

    def process(self, name: str, seconds: int = SECONDS) -> Leases:
        """A process that has not started yet."""
        self._made.append(Leases(self.engine(), name, f"{name}:7000", BUCKETS, seconds))
        return self._made[-1]

    def started(self, name: str, seconds: int = SECONDS) -> Leases:
        leases = self.process(name, seconds)
        leases.start()
        return leases

    def lone(self, name: str) -> Leases:
        """A process that has everything."""
        leases = self.started(name)
        until(_shared_out([leases]))
        return leases

    def two(self, seconds: int = SECONDS) -> tuple[Leases, Leases]:
        """Two that have half of it each."""
        both = self.started("a", seconds), self.started("b", seconds)
        until(_shared_out(both))
        return both

    def killed(self, leases: Leases) -> None:
        """As kill -9 does: nothing is renewed any more, nothing is let go."""
        leases._thread.stop()

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.address, autocommit=True) as connection:
            yield connection

    def epochs(self) -> dict[int, int]:
        """Those in the heads."""
        with self.connection() as connection:
            return dict(connection.execute("SELECT bucket, epoch FROM ledger.heads").fetchall())

    def close(self) -> None:
        for leases in self._made:
            leases.stop()
        for engine in self._engines:
            engine.dispose()
        self._databases.drop(self.settings)


@pytest.fixture
def ledgers(databases: Databases) -> Iterator[Ledgers]:
    made = Ledgers(databases)
    yield made
    made.close()


def _shared_out(processes: Sequence[Leases]) -> Callable[[], bool]:
    """Whether every stripe belongs to exactly one of them, and nobody has more than a fair share."""

    def holds() -> bool:
        held = [set(leases.held()) for leases in processes]
        fair = -(-STRIPES // len(processes))
        return sum(map(len, held)) == STRIPES == len(set().union(*held)) and max(map(len, held)) <= fair

    return holds


@pytest.mark.parametrize("bucket_count", [1, 5, 16, 40, 4096])
def test_every_bucket_belongs_to_one_stripe_whose_number_is_that_of_its_lowest_bucket(bucket_count: int) -> None:
    stripes = stripe_count(bucket_count)
    dealt = [bucket for stripe in range(stripes) for bucket in buckets_of(stripe, bucket_count)]
    assert sorted(dealt) == list(range(bucket_count))
    assert [buckets_of(stripe, bucket_count)[0] for stripe in range(stripes)] == list(range(stripes))
    assert all(bucket in buckets_of(stripe_of(bucket, stripes), bucket_count) for bucket in range(bucket_count))


def test_a_lone_process_has_everything_once_it_has_started(ledgers: Ledgers) -> None:
    leases = ledgers.started("a", LONG)
    assert set(leases.held()) == set(range(STRIPES))
    assert ledgers.epochs() == {bucket: leases.held()[stripe_of(bucket, STRIPES)] for bucket in range(BUCKETS)}


def test_a_process_that_was_killed_comes_back_to_its_stripes_without_waiting_and_fences_its_former_self(
    ledgers: Ledgers,
) -> None:
    before = ledgers.started("a", LONG)
    ledgers.killed(before)
    again = ledgers.process("a", LONG)
    began = time.monotonic()
    again.start()
    assert time.monotonic() - began < LONG / 2
    assert again.held() == {stripe: epoch + 1 for stripe, epoch in before.held().items()}
    assert set(ledgers.epochs().values()) == {2}


def test_a_second_process_gets_its_half_and_a_third_its_third(ledgers: Ledgers) -> None:
    processes = [ledgers.started("a")]
    for name in ("b", "c"):
        processes.append(ledgers.started(name))
        until(_shared_out(processes))


def test_processes_that_start_together_share_the_stripes_out(ledgers: Ledgers) -> None:
    processes = [ledgers.process(name) for name in "abcd"]
    at_once([leases.start for leases in processes])
    until(_shared_out(processes))


def test_everybody_knows_who_has_what(ledgers: Ledgers) -> None:
    first, second = ledgers.two()
    until(lambda: all(first.holder_of(stripe) == "b:7000" for stripe in second.held()))
    assert all(second.holder_of(stripe) == "a:7000" for stripe in first.held())
    assert {first.holder_of(stripe) for stripe in first.held()} == {None}


def test_the_stripes_of_a_process_that_is_gone_are_taken_over_when_its_leases_end(ledgers: Ledgers) -> None:
    first, second = ledgers.two(seconds=3)
    before = ledgers.epochs()
    ledgers.killed(second)
    began = time.monotonic()
    until(lambda: len(first.held()) == STRIPES)
    assert time.monotonic() - began < 2.5 * 3
    raised = {bucket for bucket, epoch in ledgers.epochs().items() if epoch == before[bucket] + 1}
    assert raised == {bucket for stripe in second.held() for bucket in buckets_of(stripe, BUCKETS)}


def test_a_process_that_stops_lets_go_at_once(ledgers: Ledgers) -> None:
    first, second = ledgers.two(seconds=4)
    second.stop()
    assert second.held() == {}
    began = time.monotonic()
    first.look()
    until(lambda: len(first.held()) == STRIPES)
    assert time.monotonic() - began < 4 / 2


def test_who_has_too_much_keeps_it_until_somebody_takes_it(ledgers: Ledgers) -> None:
    """A process that is announced and takes nothing: nobody may be left without a holder for its sake."""
    leases = ledgers.lone("a")
    with ledgers.connection() as connection:
        connection.execute("INSERT INTO ledger.processes VALUES ('ghost', '', now() + interval '1 hour')")
    time.sleep(3 * SECONDS)
    assert len(leases.held()) == STRIPES
    assert set(ledgers.epochs().values()) == {1}


def test_taking_a_stripe_waits_for_the_posting_of_its_holder_in_flight(ledgers: Ledgers) -> None:
    ledgers.killed(ledgers.lone("a"))
    with ledgers.connection() as posting, posting.transaction():
        posting.execute("SELECT epoch FROM ledger.heads WHERE bucket = 3 FOR UPDATE")
        second = ledgers.started("b")
        until(lambda: len(second.held()) == STRIPES - 1)
        time.sleep(SECONDS)
        assert 3 not in second.held()
        (epoch,) = posting.execute("SELECT epoch FROM ledger.heads WHERE bucket = 3").fetchone() or (0,)
        assert epoch == 1
    until(lambda: 3 in second.held())


def test_a_holder_that_fell_asleep_in_its_transaction_is_cut_off(ledgers: Ledgers) -> None:
    ledgers.killed(ledgers.lone("a"))
    with ledgers.engine(idle_seconds=SECONDS).connect() as asleep:
        asleep.exec_driver_sql("SELECT epoch FROM ledger.heads WHERE bucket = 3 FOR UPDATE")
        second = ledgers.started("b")
        until(lambda: len(second.held()) == STRIPES)
        asleep.invalidate()


def test_a_process_that_was_fenced_forgets_the_stripe_and_learns_who_has_it(ledgers: Ledgers) -> None:
    first, second = ledgers.two()
    stripe, epoch = next(iter(first.held().items()))
    with ledgers.connection() as connection:
        connection.execute(
            "UPDATE ledger.leases SET holder = 'b', address = 'b:7000', epoch = epoch + 1,"
            " expires_at = now() + interval '1 hour' WHERE bucket = %s",
            [stripe],
        )
    first.fenced(stripe, epoch)
    assert stripe not in first.held()
    until(lambda: first.holder_of(stripe) == "b:7000")
    first.fenced(stripe, epoch - 1)
    assert second.held(), "nothing happens to anybody else"


def test_an_old_warning_does_not_take_away_what_was_taken_anew(ledgers: Ledgers) -> None:
    leases = ledgers.lone("a")
    leases.fenced(0, leases.held()[0] - 1)
    assert 0 in leases.held()


def test_leases_outlive_a_database_that_was_away_while_nobody_else_wanted_them(ledgers: Ledgers) -> None:
    leases = ledgers.lone("a")
    with ledgers.connection() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'ledger_app'"
        )
    time.sleep(2 * SECONDS)
    assert set(leases.held().items()) == {(stripe, 1) for stripe in range(STRIPES)}
