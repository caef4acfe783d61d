"""A stepper that dies where it is told to. What is deployed knows no such place.

    python -P -m tests.settlement.mortal

Each line that it reads is JSON: the settings of the database, the folders of archive and bank, the clock, and the
number of the point at which it sends itself SIGKILL; 0: it lives. Each is played by a process of its own, forked, so
that nobody waits for Python to start; its exit code is answered. Points are counted before and after every commit, and
before and after the bank is given a file. A process ends by itself when nothing is due any more, and writes down the
names of all points that it passed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from services.settlement.api.bank.folder import Folder
from services.settlement.domain.sending import Receipt
from services.settlement.store.archive import Archive
from services.settlement.store.batches import follow
from services.settlement.store.paying import Paying
from services.settlement.store.stepper import Stepper
from services.settlement.store.steps import Step
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from shared.settings import ServiceSettings

_WRITE = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM) settlement\.")
_DUE = text("SELECT count(*) FROM settlement.steps WHERE state = 'DUE' AND due_at <= :at")
_PATIENCE_SECONDS = 30.0


class Fate:
    """Counts points and ends the process at one of them."""

    def __init__(self, deadly: int) -> None:
        self._deadly = deadly
        self.points: list[str] = []
        self.about = "taking a step"

    def pass_(self, name: str) -> None:
        self.points.append(f"{name}: {self.about}")
        if len(self.points) == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)


def install(fate: Fate) -> None:
    """A point on each side of every commit that has written."""
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit
    wrote: set[int] = set()

    def executing(self: psycopg.Cursor[Any], query: Any, *more: Any, **named: Any) -> psycopg.Cursor[Any]:  # noqa: ANN401
        if _WRITE.search(query.decode() if isinstance(query, bytes) else str(query)):
            wrote.add(id(self.connection))
        return execute(self, query, *more, **named)

    def committing(self: psycopg.Connection[Any]) -> None:
        written = id(self) in wrote
        wrote.discard(id(self))
        if written:
            fate.pass_("before the commit")
        commit(self)
        if written:
            fate.pass_("after the commit")

    psycopg.Cursor.execute = executing  # type: ignore[assignment,method-assign]  # on purpose
    psycopg.Connection.commit = committing  # type: ignore[method-assign]  # on purpose


class Door(Folder):
    """The bank's folder, with a point on each side."""

    fate: Fate

    def send(self, message_id: str, content: bytes) -> Receipt:
        self.fate.pass_(f"before sending {message_id}")
        receipt = super().send(message_id, content)
        self.fate.pass_(f"after sending {message_id}")
        return receipt


class Told(Stepper):
    """Says which step it is about."""

    fate: Fate

    def _do(self, step: Step, at: datetime) -> None:
        self.fate.about = f"{step.kind}, part {step.finished + 1}"
        super()._do(step, at)
        self.fate.about = "taking a step"


class Fixed:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


def play(told: dict[str, Any]) -> None:
    """One life."""
    fate = Fate(told["deadly"])
    install(fate)
    sessions = Sessions(make_engine(ServiceSettings.model_validate(told["settings"])))
    door = Door(Path(told["bank"]), checks_duplicates=True)
    door.fate = fate
    clock = Fixed(datetime.fromisoformat(told["at"]))
    paying = Paying(door, Archive(Path(told["archive"])), follow, timedelta(hours=24), 5, 56)
    stepper = Told(sessions, paying.handlers, clock)
    stepper.fate = fate
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up:
        if stepper.one():
            continue
        with sessions.reading(5) as connection:
            if not connection.execute(_DUE, {"at": clock.now()}).scalar():
                break
        time.sleep(0.02)
    Path(told["points"]).write_text(json.dumps(fate.points))


def main() -> None:
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            status = 1
            try:
                play(json.loads(line))
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
