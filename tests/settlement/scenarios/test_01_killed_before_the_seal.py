"""1: kill -9 between storing `to` and the seal. It resumes CLOSING, with the same interval."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from services.settlement.domain.window import WindowState
from services.settlement.store import closing, signing
from services.settlement.store.signing import Signing
from shared.instants import instant
from tests.settlement.paper import day, terms
from tests.settlement.reaper import Point, points_in, sites_in
from tests.settlement.reckoning import SIGNER
from tests.settlement.store.mortal import Closed, close
from tests.settlement.store.office import Office
from tests.support.databases import Databases

SEAL = "SELECT document FROM settlement.seals WHERE window_number = 1"
STATEMENT = "SELECT document FROM settlement.statements"

LEFT = (
    "SELECT * FROM settlement.windows ORDER BY number",
    "SELECT window_number, document FROM settlement.seals",
    "SELECT partner, document FROM settlement.statements ORDER BY 1",
    "SELECT * FROM settlement.lines ORDER BY window_number, partner, leg",
    "SELECT * FROM settlement.all_rollups ORDER BY window_number, partner, leg",
    "SELECT * FROM settlement.window_counts ORDER BY window_number, bucket",
    "SELECT name, step, state, hash FROM settlement.transitions ORDER BY 1, 2",
)


def begun(office: Office) -> None:
    office.publish("acorn", terms(since=day(-1)))
    office.paper.award(100)
    office.ask(1)
    office.closing.fix_edge(1, office.paper.checkpoint(day(1)))


def test_the_interval_is_fixed_before_anything_is_sealed(offices: Callable[[], Office]) -> None:
    killed, undisturbed = offices(), offices()
    for one in (killed, undisturbed):
        begun(one)
    killed.begin_again()  # nothing is known but what is stored
    window = killed.window(1)
    assert window.state is WindowState.CLOSING
    assert window.to is not None
    assert window.to.seqs == (1, 0)
    killed.paper.award(5, at=day(2))  # what comes meanwhile is the next window's
    for one in (killed, undisturbed):
        one.take_in()
        assert one.closing.finish(instant(day(3))) is None
    assert killed.rows(SEAL) == undisturbed.rows(SEAL)
    assert (killed.counts(1), killed.counts(2)) == ((1, 0), (1, 0))


def test_between_the_seal_and_the_statements_nothing_is_lost(offices: Callable[[], Office]) -> None:
    killed, undisturbed = offices(), offices()
    for one in (killed, undisturbed):
        begun(one)
        one.take_in()
        assert one.closing.finish(instant(day(3))) is None
    assert killed.rows(STATEMENT) == []
    killed.begin_again()
    assert [Signing(killed.sessions, SIGNER).sign_next(instant(day(4))) for _ in range(2)] == [1, None]
    undisturbed.sign(day(3))
    assert killed.rows(STATEMENT) == undisturbed.rows(STATEMENT)
    killed.check()


@pytest.mark.timeout(600)
def test_it_is_killed_at_every_commit_of_a_closing_and_ends_in_the_same_bytes(
    databases: Databases, office: Office, tmp_path: Path
) -> None:
    office.publish("acorn", terms(since=day(-1)))
    office.engine.dispose()
    undisturbed, points = one_closing(databases, office, tmp_path / "undisturbed")
    assert {one.site for one in points} >= sites_in(closing) | sites_in(signing)
    assert all(undisturbed)
    for number, point in enumerate(points, start=1):
        found, _ = one_closing(databases, office, tmp_path / str(number), number)
        assert found == undisturbed, (number, point.name)
    print(*(f"{number:3d} {one.name}  {one.site}" for number, one in enumerate(points, start=1)), sep="\n")


def one_closing(
    databases: Databases, office: Office, points: Path, die_at: int = 0
) -> tuple[list[list[tuple[object, ...]]], list[Point]]:
    """What a closing leaves that is killed once there and begun again, and the points that it came to."""
    with copied(databases, office) as settings:
        told = Closed(databases.service_settings(settings).model_dump(), points)
        if die_at:
            assert lived(told._replace(die_at=die_at)) == -signal.SIGKILL
        assert lived(told) == 0
        with psycopg.connect(databases.cluster.address(str(settings["database_name"]))) as connection:
            return [connection.execute(look.encode()).fetchall() for look in LEFT], points_in(points)


@contextmanager
def copied(databases: Databases, office: Office) -> Iterator[dict[str, object]]:
    """The whole database, once more."""
    template = str(office.settings["database_name"])
    settings = {**office.settings, "database_name": f"{template}_copy"}
    both = map(sql.Identifier, (f"{template}_copy", template))
    with psycopg.connect(databases.cluster.address(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*both))
    try:
        yield settings
    finally:
        databases.drop(settings)


def lived(told: Closed) -> int:
    """How a process ended that was told to close: 0, or minus the signal that killed it."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tests.settlement.store.mortal"])
    child = server.Process(target=close, args=(told,))
    child.start()
    child.join(150)
    assert child.exitcode is not None
    return child.exitcode
