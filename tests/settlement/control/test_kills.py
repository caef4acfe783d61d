"""kill -9 before and after every commit of the stepper and around every send: what it leaves goes on within ten seconds
and ends in the same bytes and the same rows as if nobody had died.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from queue import Queue

import psycopg
import pytest
from psycopg import sql

from tests.architecture.sources import ROOT
from tests.settlement.clerk import Clerk
from tests.support.databases import Databases

RESUMED_SECONDS = 10.0
PLAYERS = 2
ASKED = {
    "files": "SELECT msg_id, encode(sha256, 'hex'), state, etag FROM settlement.payment_files ORDER BY 1",
    "instructions": "SELECT name, state, etag FROM settlement.instructions ORDER BY 1",
    "history": "SELECT name, step, state, act, encode(hash, 'hex') FROM settlement.transitions ORDER BY 1, 2",
    "batches": "SELECT number, state, etag FROM settlement.batches ORDER BY 1",
    "steps": "SELECT kind, subject, state, due_at FROM settlement.steps ORDER BY 1, 2",
}


@dataclass
class Stage:
    """A batch that is released and nothing of it sent; each run gets a copy of the whole database."""

    clerk: Clerk
    folder: Path
    at: datetime

    def __post_init__(self) -> None:
        self.players: Queue[subprocess.Popen[str]] = Queue()
        for _ in range(PLAYERS):
            command = [sys.executable, "-P", "-m", "tests.settlement.mortal"]
            self.players.put(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
        self._name = str(self.clerk.settings["database_name"])
        self._counter = itertools.count()

    def leave(self) -> None:
        while not self.players.empty():
            player = self.players.get()
            player.communicate(timeout=60)
        self.clerk.leave()

    def admin(self) -> psycopg.Connection:
        return psycopg.connect(self.clerk.address.replace(self._name, "postgres"), autocommit=True)

    def run(self, deadly: int) -> Run:
        """A fresh copy, and who dies on it at that point."""
        number = next(self._counter)
        copy = f"{self._name}_{number}"
        with self.admin() as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (copy, self._name))))
        home = self.folder / str(number)
        (home / "bank").mkdir(parents=True)
        return Run(self, copy, home, deadly)


@dataclass
class Run:
    """One copy of the stage, on which a stepper dies and another goes on."""

    stage: Stage
    database: str
    home: Path
    deadly: int

    def step(self, deadly: int, at: datetime) -> tuple[int, float]:
        """How a process ended, and how long it lived."""
        settings = {**self.stage.clerk.settings, "database_name": self.database}
        nowhere = str(self.home / "nowhere")
        files = dict.fromkeys(("ca_file", "certificate_file", "key_file", "token_keys_folder"), nowhere)
        told = {
            "settings": {**files, **{key: str(value) for key, value in settings.items()}},
            "archive": str(self.home / "archive"),
            "bank": str(self.home / "bank"),
            "points": str(self.home / "points"),
            "at": at.isoformat(),
            "deadly": deadly,
        }
        player = self.stage.players.get(timeout=60)
        try:
            assert player.stdin is not None
            assert player.stdout is not None
            began = time.monotonic()
            player.stdin.write(json.dumps(told) + "\n")
            player.stdin.flush()
            return int(player.stdout.readline()), time.monotonic() - began
        finally:
            self.stage.players.put(player)

    def points(self) -> list[str]:
        names: list[str] = json.loads((self.home / "points").read_text())
        return names

    def result(self) -> dict[str, object]:
        """Everything that must be as if nothing had been."""
        with psycopg.connect(self.stage.clerk.address.replace(self.stage._name, self.database)) as connection:
            found: dict[str, object] = {name: connection.execute(asked).fetchall() for name, asked in ASKED.items()}
        for place in ("bank", "archive"):
            found[place] = {path.name: path.read_bytes() for path in (self.home / place).iterdir()}
        return found

    def end(self) -> None:
        with self.stage.admin() as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.database)))


@pytest.fixture(scope="module")
def stage(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("kills")
    clerk = Clerk(databases, folder)
    clerk.ready("a", "b", "c")
    clerk.prefund(10**9)
    clerk.release_batch(clerk.ready_batch(clerk.window([("a", "b", 250), ("a", "c", 300)])))
    clerk.engine.dispose()
    one = Stage(clerk, folder, clerk.clock.now())
    yield one
    one.leave()


@pytest.mark.timeout(900)
def test_whoever_is_killed_anywhere_is_followed_by_one_who_ends_it_alike(stage: Stage) -> None:
    """First the sends, then a day later the silence of the bank."""
    undisturbed = stage.run(0)
    assert undisturbed.step(0, stage.at)[0] == 0
    sends = undisturbed.points()
    later = stage.at + timedelta(hours=25)
    assert undisturbed.step(0, later)[0] == 0
    silences = undisturbed.points()
    wanted = undisturbed.result()
    assert any("sending" in name for name in sends)
    assert len(silences) >= 4

    took: dict[int, float] = {}

    def killed(deadly: int) -> str:
        """What is wrong with this point; empty when nothing is."""
        run = stage.run(deadly)
        try:
            for at, first in ((stage.at, 0), (later, len(sends))):
                here = deadly - first
                if 0 < here <= len(sends if at == stage.at else silences) and run.step(here, at)[0] != -9:
                    return "it lived"
                code, seconds = run.step(0, at)
                took[deadly] = max(seconds, took.get(deadly, 0))
                if code != 0:
                    return f"the next one ended with {code}"
                if seconds > RESUMED_SECONDS:
                    return f"the next one took {seconds:.1f} s"
            return "" if run.result() == wanted else f"another end: {_difference(run.result(), wanted)}"
        finally:
            run.end()

    points = [*sends, *silences]
    with ThreadPoolExecutor(PLAYERS) as pool:
        found = list(pool.map(killed, range(1, len(points) + 1)))
    undisturbed.end()
    print(
        "\n".join(
            f"{number:3} {name} (resumed and done in {took[number]:.1f} s)"
            for number, name in enumerate(points, start=1)
        )
    )
    assert {name: why for name, why in zip(enumerate(points, start=1), found, strict=True) if why} == {}


def _difference(found: dict[str, object], wanted: dict[str, object]) -> str:
    return "; ".join(f"{name}: {found[name]} is not {wanted[name]}" for name in wanted if found[name] != wanted[name])
