"""Lives of a batch in processes of their own, each on a copy of one database and with the bank begun anew."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from services.settlement.domain.machines import DISPUTE
from services.settlement.store import disputes, steps, transitions
from tests.settlement.accounts import account_of, clearing
from tests.settlement.bank import Bank
from tests.settlement.clerk import Clerk
from tests.settlement.house import CLEARING
from tests.settlement.paying.mortal import NETS, STATED, Life, live
from tests.settlement.reaper import Point, points_in
from tests.support.databases import Databases

PAID = [partner for partner, net in NETS.items() if net > 0]
OWED = [("diner", partner, NETS[partner]) for partner in PAID]
_SECONDS = 150
_LOOKS = {
    "files": "SELECT name, encode(sha256, 'hex'), content, state, etag FROM settlement.payment_files ORDER BY name",
    "instructions": "SELECT * FROM settlement.instructions ORDER BY name",
    "batches": "SELECT * FROM settlement.batches ORDER BY number",
    "windows": "SELECT number, state, etag FROM settlement.windows ORDER BY number",
    "chains": """
SELECT name, step, frm, state, act, by,
    CASE WHEN state NOT IN ('ACKNOWLEDGED', 'ACCEPTED', 'BOOKED', 'FINAL') THEN encode(hash, 'hex') END
FROM settlement.transitions ORDER BY 1, 2
""",  # from there on the hash is over what the bank wrote, which is not the same twice
    "steps": "SELECT kind, subject, state, due_at, finished, attempts FROM settlement.steps ORDER BY kind, subject",
    "sent": "SELECT msg_id, outcome FROM settlement.sendings ORDER BY msg_id, number",
    "evidence": "SELECT DISTINCT instruction, rank, verdict FROM settlement.evidence WHERE rank > 1 ORDER BY 1, 2, 3",
    "breaks": "SELECT reason FROM settlement.breaks",
    "disputes": "SELECT name, state, etag FROM settlement.disputes",
    "quarantines": "SELECT why, since, lifted_at FROM settlement.quarantines",
}
_OBJECTION = text("""
INSERT INTO settlement.disputes (name, number, state, partner, window_number, line, reason, points, statement,
    opened_by, opened_at, answer_due_at)
VALUES ('disputes/1', 1, 'OPEN', 'bakery', 1, 1, 'INCORRECT_AWARD', 1, 'one is missing', 'partners/bakery',
    :at, :due_at)
""")


_asking = Lock()
"""To start a process is to ask after all others: two who ask after one at the same time take its answer away."""


class Lived(NamedTuple):
    """What a life left, the points that it came to, and the seconds from its death to the next one."""

    result: dict[str, Any]
    points: list[Point]
    resumed: float


class Stage:
    """A copy of the database and a bank of its own, for one life."""

    def __init__(self, databases: Databases, base: Clerk, folder: Path, bank: Bank, *, line_goes_dead: bool) -> None:
        self._databases = databases
        self._bank = bank
        template = str(base.settings["database_name"])
        name = f"{template}_{bank.port}"
        self.settings = {**base.settings, "database_name": name}
        self.address = databases.cluster.address(name)
        with psycopg.connect(databases.cluster.address(), autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
        bank.ask("POST", "/_mock/reset")
        bank.holds(CLEARING, clearing().iban)
        for number, partner in enumerate(NETS, start=100):
            bank.holds(partner.upper(), account_of(partner, number).iban)
        whole = databases.service_settings(self.settings).model_dump()
        folder.mkdir(parents=True, exist_ok=True)
        self.life = Life(whole, folder, bank.port, folder / "points", line_goes_dead=line_goes_dead)

    def lives(self, die_at: int | str = 0) -> int:
        """How a life ended: 0, or minus the signal that killed it."""
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(["tests.settlement.paying.mortal"])
        child = server.Process(target=live, args=(replace(self.life, die_at=die_at),))
        with _asking:
            child.start()
        give_up = time.monotonic() + _SECONDS
        while (ended := _ended(child)) is None:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        return ended

    def points(self) -> list[Point]:
        return points_in(self.life.points)

    def result(self) -> dict[str, Any]:
        """What must be the same at the end of every life."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            rows: dict[str, Any] = {name: connection.execute(look).fetchall() for name, look in _LOOKS.items()}
        archive = sorted((self.life.folder / "archive").iterdir())
        return {
            **rows,
            "archive": [(path.name, path.read_bytes()) for path in archive],
            "left": {partner: self._bank.booked(f"B1-{partner}-1") for partner in PAID},
            "balance": self._bank.balance(CLEARING),
        }

    def leave(self) -> None:
        self._databases.drop(self.settings)


def _ended(child: BaseProcess) -> int | None:
    with _asking:
        return child.exitcode


@contextmanager
def base_in(databases: Databases, folder: Path) -> Iterator[Clerk]:
    """A closed window whose batch nobody has made yet, and a dispute; lives begin in copies of it."""
    clerk = Clerk(databases, folder)
    clerk.clock.pass_(days=-1)
    clerk.ready(*NETS)
    clerk.window(OWED)
    clerk.do(lambda connection: _dispute(connection, clerk.clock.now()))
    clerk.engine.dispose()
    yield clerk
    clerk.leave()


def one_life(
    databases: Databases,
    base: Clerk,
    bank: Bank,
    folder: Path,
    die_at: int | str = 0,
    *,
    line_goes_dead: bool = False,
) -> Lived:
    """Killed once there, and begun again: what a dead one has claimed is waited for."""
    stage = Stage(databases, base, folder, bank, line_goes_dead=line_goes_dead)
    try:
        died, before = time.monotonic(), list[Point]()
        if die_at:
            assert stage.lives(die_at) == -signal.SIGKILL
            died, before = time.monotonic(), stage.points()
        assert stage.lives() == 0
        points = stage.points()
        went_on = [one.at for one in points[len(before) :]] or [died]
        return Lived(stage.result(), points, went_on[0] - died)
    finally:
        stage.leave()


def _dispute(connection: Connection, at: datetime) -> None:
    """Nobody will answer it. Its statement does not matter here."""
    due_at = datetime(STATED.year, STATED.month, STATED.day, 9, tzinfo=UTC)
    connection.execute(_OBJECTION, {"at": at, "due_at": due_at})
    transitions.begin(connection, DISPUTE, "disputes/1", "OPEN", "OpenDispute", by="partners/bakery", at=at)
    steps.ask(connection, disputes.OVERDUE, "disputes/1", due_at=due_at, at=at)
