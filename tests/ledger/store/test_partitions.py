"""Months are made before they are needed, whatever the clock does, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from services.ledger.domain.entry import Place
from services.ledger.store.partitions import Partitions, Upkeep
from services.ledger.store.session import reading
from services.ledger.store.writer.places import entries_at
from shared.instants import micros
from tests.ledger.store.vault import Vault, award, redeem, refund, wallet_in
from tests.support.together import at_once, until

MAKE = "SELECT ledger.make_partitions(%s)"


def _months(vault: Vault, table: str = "entries") -> list[str]:
    """The partitions in order of time."""
    with vault.tampering() as connection:
        rows = connection.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i"
            " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass",
            [f"ledger.{table}"],
        ).fetchall()
    bounds = [
        (name, *expression.removeprefix("FOR VALUES FROM (").removesuffix(")").split(") TO ("))
        for name, expression in rows
    ]
    ordered = sorted(bounds, key=lambda bound: (bound[1] != "MINVALUE", bound[1]))
    assert [end for _, _, end in ordered[:-1]] == [start for _, start, _ in ordered[1:]], "a gap, or an overlap"
    return [name.removeprefix(f"{table}_") for name, _, _ in ordered]


@pytest.fixture
def application(own_vault: Vault) -> Iterator[psycopg.Connection]:
    engine = own_vault.another_engine()
    pooled = engine.raw_connection()
    driver = pooled.driver_connection
    assert isinstance(driver, psycopg.Connection)
    yield driver
    pooled.close()


def test_posting_goes_on_across_the_end_of_a_month(own_vault: Vault) -> None:
    wallet = wallet_in(0)
    own_vault.clock.instant = datetime(2026, 3, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    march = own_vault.post(award(wallet, 100))
    own_vault.clock.pass_by(microseconds=1)
    april = own_vault.post(redeem(wallet, 30))
    assert own_vault.post(refund(april)).balance.available == 100
    assert own_vault.readers.entry(march.place) == march
    assert own_vault.readers.entry(april.place) == april
    assert own_vault.check().entries == 3


def test_a_clock_that_jumps_finds_its_month_and_the_time_between_is_one_partition(own_vault: Vault) -> None:
    wallet = wallet_in(0)
    own_vault.post(award(wallet))
    own_vault.clock.pass_by(days=50 * 366)
    far = own_vault.post(award(wallet))
    months = _months(own_vault)
    assert len(months) < 20
    assert months == _months(own_vault, "postings")
    own_vault.clock.pass_by(days=-25 * 366)
    assert own_vault.post(award(wallet_in(1))).posted_at < far.posted_at
    own_vault.check()


def test_the_last_month_of_the_calendar_is_one_like_any_other(own_vault: Vault) -> None:
    own_vault.clock.instant = datetime(9999, 12, 31, 23, tzinfo=UTC)
    own_vault.post(award(wallet_in(0)))
    assert _months(own_vault)[-1] == "9999_12"


def test_the_coming_months_are_there_before_anybody_posts(own_vault: Vault) -> None:
    partitions = Partitions()
    at = micros(own_vault.clock.now())
    assert partitions.lack(at)
    upkeep = Upkeep(own_vault.engine, partitions, own_vault.clock)
    upkeep.tend()
    upkeep.tend()
    assert _months(own_vault)[-1] == "2026_05"
    assert not partitions.lack(at)
    assert not partitions.lack(at + 60 * 86_400_000_000)


def test_several_who_make_them_at_once_make_them_once(own_vault: Vault) -> None:
    engine = own_vault.another_engine()
    at_once([Upkeep(engine, Partitions(), own_vault.clock).tend] * 8)
    months = _months(own_vault)
    assert len(months) == len(set(months))


def test_neither_waits_for_the_other(own_vault: Vault, application: psycopg.Connection) -> None:
    """One who posts holds its row locks until it commits, one who makes partitions until it does."""
    wallet = wallet_in(0)
    own_vault.post(award(wallet))
    with own_vault.tampering() as posting, posting.transaction():
        posting.execute("INSERT INTO ledger.entries SELECT * FROM ledger.entries WHERE false")
        posting.execute("UPDATE ledger.heads SET epoch = 0 WHERE bucket = 7")
        application.execute("SET lock_timeout = '2s'")
        application.execute(MAKE, ["2027-06-01"])  # not committed yet
        assert own_vault.post(award(wallet)).balance.available == 200
    application.commit()
    assert _months(own_vault)[-1] == "2027_06"


def test_asking_for_what_is_there_takes_no_lock(own_vault: Vault, application: psycopg.Connection) -> None:
    own_vault.post(award(wallet_in(0)))
    with own_vault.tampering() as busy, busy.transaction():
        busy.execute("LOCK TABLE ONLY ledger.entries IN SHARE UPDATE EXCLUSIVE MODE")
        application.execute("SET lock_timeout = '100ms'")
        application.execute(MAKE, ["2026-04-30"])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            application.execute(MAKE, ["2026-08-01"])


@pytest.mark.parametrize("day", ["infinity", None])
def test_a_date_that_is_none_makes_nothing(own_vault: Vault, application: psycopg.Connection, day: str | None) -> None:
    before = _months(own_vault)
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        application.execute(MAKE, [day])
    assert _months(own_vault) == before


def test_the_reader_may_not_make_any(own_vault: Vault) -> None:
    with own_vault.tampering() as connection:
        connection.execute("SET ROLE ledger_ro")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(MAKE, ["2027-01-01"])


def test_landmarks_lead_to_entries_of_every_month(own_vault: Vault) -> None:
    upkeep = Upkeep(own_vault.engine, Partitions(), own_vault.clock)
    wallet, entries = wallet_in(0), []
    for _ in range(12):
        entries += [own_vault.post(award(wallet)) for _ in range(2)]
        upkeep.tend()
        own_vault.clock.pass_by(days=20)
    with reading(own_vault.engine) as cursor:
        places = [entry.place for entry in entries]
        assert entries_at(cursor, [*places, Place(0, 99), Place(3, 1)]) == dict(zip(places, entries, strict=True))
        assert cursor.execute("SELECT count(*) FROM ledger.landmarks").fetchone() == (12,)


def test_a_landmark_that_lies_hides_nothing(own_vault: Vault) -> None:
    wallet = wallet_in(0)
    entries = [own_vault.post(award(wallet)) for _ in range(3)]
    with own_vault.tampering() as connection:
        connection.execute("INSERT INTO ledger.landmarks VALUES (0, 1, '2030-01-01'), (0, 3, '2020-01-01')")
    assert [own_vault.readers.entry(entry.place) for entry in entries] == entries


def test_the_upkeep_goes_on_by_itself_also_after_the_database_was_away(own_vault: Vault) -> None:
    upkeep = Upkeep(own_vault.another_engine(), Partitions(), own_vault.clock, pause=0.01)
    upkeep.start()
    until(lambda: _months(own_vault)[-1] == "2026_05")
    own_vault.kill_backends()
    own_vault.clock.pass_by(days=31)
    until(lambda: _months(own_vault)[-1] == "2026_06")
    upkeep.stop()
