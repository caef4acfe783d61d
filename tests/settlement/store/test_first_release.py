"""What the first release counted and closed is carried through the migrations: the same numbers, the same bytes."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from services.settlement.store.ingest import ensure_buckets, start_again
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from shared.db.sessions import Sessions
from tests.settlement.paper import day, terms
from tests.settlement.store.office import BUCKETS, PATIENCE, Office
from tests.support.databases import Databases

FIRST = "0003"
TABLES = (
    "contract_versions",
    "windows",
    "buckets",
    "obligations",
    "rollups",
    "window_counts",
    "suspense",
    "lines",
    "nets",
    "statements",
)
COLUMNS = """
SELECT column_name FROM information_schema.columns WHERE table_schema = 'settlement' AND table_name = %s
ORDER BY ordinal_position
"""
OTHERWISE = {
    ("contract_versions", "request_id"): sql.SQL("gen_random_uuid()"),
    ("lines", "entries_root"): sql.SQL("''::bytea"),
}
"""What the first release wrote another way."""


def played(office: Office) -> None:
    """Two windows and the beginning of a third, with nothing that the first release did not know."""
    office.publish("acorn", terms(since=day(-1)))
    office.publish("birch", terms("0.02", "0.01", since=day(-1)))
    office.publish("acorn", terms("0.013", since=day(2)))
    award = office.paper.award(1234)
    office.paper.redeem(57, "birch", bucket=1)
    office.closed(day(1))
    office.paper.reverse(award, 34, at=day(1.5))
    office.paper.award(125, at=day(2.5))
    office.closed(day(3))
    office.paper.award(77, "birch", bucket=1, at=day(3.5))
    office.take_in()


@pytest.fixture
def migrated(office: Office, databases: Databases) -> Office:
    """The rows as the first release would have left them, then the newest schema."""
    played(office)
    settings = databases.empty("settlement")
    upgrade("services.settlement", databases.service_settings(settings), FIRST)
    address = databases.cluster.address(str(settings["database_name"]))
    with psycopg.connect(office.address) as new, psycopg.connect(address) as old:
        for table in TABLES:
            columns = [row[0] for row in old.execute(COLUMNS, [table])]
            source = "all_rollups" if table == "rollups" else table
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            values = sql.SQL(", ").join(OTHERWISE.get((table, one), sql.Identifier(one)) for one in columns)
            copied = sql.SQL("SELECT {} FROM {}").format(values, sql.Identifier("settlement", source))
            places = sql.SQL(", ").join(sql.Placeholder() * len(columns))
            insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier("settlement", table), names, places
            )
            for row in new.execute(copied).fetchall():
                old.execute(insert, row)
    upgrade("services.settlement", databases.service_settings(settings))
    engine = office.engine
    office.settings, office.address = settings, address
    office.engine = make_engine(databases.service_settings(settings))
    engine.dispose()
    office.begin_again(Sessions(office.engine))
    with office.sessions.writing(PATIENCE) as connection:
        ensure_buckets(connection, BUCKETS)
        start_again(connection)
    return office


def test_what_was_closed_stays_what_it_was_and_the_next_window_goes_on(migrated: Office) -> None:
    with migrated.tampering() as connection:  # the roots that it kept beside its lines stand in its statements, too
        connection.execute("UPDATE settlement.lines SET entries_root = NULL")
    assert migrated.check().windows == 2
    statement = migrated.statement("acorn", 2)
    migrated.publish("acorn", terms("0.014", since=day(5)))
    migrated.paper.award(10, at=day(6))
    migrated.closed(day(7))
    assert migrated.statement("acorn", 2) == statement
    assert migrated.rows("SELECT count(*) FROM settlement.seals") == [(1,)], "from here on there are seals"
    assert migrated.rows("SELECT sum(points)::int FROM settlement.window_counts WHERE window_number = 1") == [(1291,)]
    assert migrated.check().windows == 3
