"""Lives of a batch in processes of their own, each on a copy of one database and with the bank begun anew."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.settlement.accounts import account_of, clearing
from tests.settlement.bank import Bank
from tests.settlement.cashier import Cashier
from tests.settlement.house import CLEARING
from tests.settlement.paying.mortal import NETS, Life, live
from tests.support.databases import Databases

PAID = [partner for partner, net in NETS.items() if net > 0]
_SECONDS = 60
_LOOKS = {
    "files": "SELECT name, encode(sha256, 'hex'), content, state, etag FROM settlement.payment_files ORDER BY name",
    "instructions": "SELECT * FROM settlement.instructions ORDER BY name",
    "chains": "SELECT name, step, frm, state, act, by FROM settlement.transitions ORDER BY name, step",
    "sent": "SELECT msg_id, outcome FROM settlement.sendings ORDER BY msg_id, number",
    "evidence": "SELECT DISTINCT instruction, rank, verdict FROM settlement.evidence WHERE rank > 1 ORDER BY 1, 2, 3",
    "breaks": "SELECT reason FROM settlement.breaks",
}


class Stage:
    """A copy of the database and a bank of its own, for one life."""

    def __init__(self, databases: Databases, base: Cashier, folder: Path, bank: Bank, name: str) -> None:
        self._databases = databases
        self._bank = bank
        self.settings = {**base.settings, "database_name": name}
        self.address = databases.cluster.address(name)
        template = sql.Identifier(str(base.settings["database_name"]))
        with psycopg.connect(databases.cluster.address(), autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), template))
        bank.ask("POST", "/_mock/reset")
        bank.holds(CLEARING, clearing().iban)
        for number, partner in enumerate(NETS, start=100):
            bank.holds(partner.upper(), account_of(partner, number).iban)
        whole = databases.service_settings(self.settings).model_dump()
        folder.mkdir(parents=True, exist_ok=True)
        self.life = Life(whole, folder, bank.port, folder / "points")

    def lives(self, die_at: int | str = 0) -> int:
        """How a life ended: 0, or minus the signal that killed it."""
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(["tests.settlement.paying.mortal"])
        child = server.Process(target=live, args=(replace(self.life, die_at=die_at),))
        child.start()
        child.join(_SECONDS)
        assert child.exitcode is not None
        return child.exitcode

    def points(self) -> list[str]:
        return self.life.points.read_text().splitlines()

    def pass_leases(self) -> None:
        """As if the few seconds had passed that a dead stepper's claim lasts."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute("UPDATE settlement.steps SET lease_until = '2000-01-01', retry_at = '2000-01-01'")

    def result(self) -> dict[str, Any]:
        """What must be the same at the end of every life."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            rows: dict[str, Any] = {name: connection.execute(look).fetchall() for name, look in _LOOKS.items()}
        archive = sorted((self.life.folder / "archive").iterdir())
        return {
            **rows,
            "archive": [(path.name, path.read_bytes()) for path in archive],
            "left": {partner: self._bank.booked(f"B7-{partner}-1") for partner in PAID},
            "balance": self._bank.balance(CLEARING),
        }

    def leave(self) -> None:
        self._databases.drop(self.settings)


@contextmanager
def base_in(databases: Databases, folder: Path) -> Iterator[Cashier]:
    """A database in which everything is ready to begin; lives begin in copies of it."""
    cashier = Cashier(databases, folder)
    cashier.clock.pass_(days=-1)
    cashier.ready(*NETS)
    cashier.engine.dispose()
    yield cashier
    cashier.leave()


def one_life(
    databases: Databases, base: Cashier, bank: Bank, folder: Path, die_at: int | str = 0
) -> tuple[dict[str, Any], list[str]]:
    """What a life leaves that is killed once there, and the points that it came to."""
    stage = Stage(databases, base, folder, bank, f"{base.settings['database_name']}_life")
    try:
        if die_at:
            assert stage.lives(die_at) == -signal.SIGKILL
            stage.pass_leases()
        assert stage.lives() == 0
        return stage.result(), stage.points()
    finally:
        stage.leave()
