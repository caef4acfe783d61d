"""The life of a batch from its calculation to its end, as a program that dies where it is told to, by kill -9.

It may be begun again at any time and goes on where it was: everything it knows is in the database. A point is a commit
that wrote something, before or after it, or the hand-over to the bank, before or after. Points are counted in the order
in which a life that nobody disturbs comes to them.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Connection

from services.settlement.api.bank.http import Http
from services.settlement.domain.batch import Disposition, Do
from services.settlement.domain.sending import Receipt
from services.settlement.formats.bank_file import bank_file
from services.settlement.store import bank_files, files, instructions, sending
from services.settlement.store.archive import Archive
from services.settlement.store.paying import Paying
from services.settlement.store.stepper import Done, GoOn, Handler, Stepper
from services.settlement.store.steps import Step
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from shared.settings import ServiceSettings
from tests.settlement.bank import Bank
from tests.settlement.cashier import ANNA, ANSWER, BEN, COLLECTION_DAYS, PATIENCE, Wall

BATCH = 7
NETS = {"bakery": 845_900, "cinema": 267_400, "diner": -1_113_300}
"""The diner pays in what the others are paid, so their file waits for it."""
BEGINS, STATED, ENDS = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
STAGES = ((BEGINS, 0), (BEGINS, 1), (STATED, 2), (ENDS, 3))
"""The day, and the minutes past the hour at which settlement looks."""
RETURN_DAYS = 2
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM)\s+settlement\.(\w+)")


@dataclass(frozen=True)
class Life:
    """All that a life needs to go on in another process.

    It dies at a point, by its number or its name; those that it came to are listed in the file `points`.
    """

    settings: Mapping[str, object]
    folder: Path
    port: int
    points: Path
    die_at: int | str = 0


class Reaper:
    """Counts the points and ends the process at one of them."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._count = 0
        self._doing = ""

    def reached(self, point: str) -> None:
        self._count += 1
        with self._life.points.open("a") as listed:
            listed.write(f"{point}\n")
        if self._life.die_at in {self._count, point}:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(self, kind: str, handler: Handler) -> Handler:
        """The handler, whose commits are named after it."""

        def handle(connection: Connection, step: Step, at: datetime) -> Done | GoOn:
            self._doing = f" by the step {kind}"
            return handler(connection, step, at)

        return handle

    def install(self) -> None:
        """Stand around every commit that wrote something."""
        written: WeakKeyDictionary[psycopg.Connection[Any], list[str]] = WeakKeyDictionary()
        execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

        def executing(cursor: psycopg.Cursor[Any], query: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401
            if found := _WRITES.findall(str(query)):
                written.setdefault(cursor.connection, []).extend(found)
            return execute(cursor, query, *more, **named)

        def committing(connection: psycopg.Connection[Any]) -> None:
            tables = "+".join(dict.fromkeys(written.pop(connection, [])))
            doing, self._doing = self._doing or (" by taking one" if tables == "steps" else ""), ""
            if tables:
                self.reached(f"before the commit of {tables}{doing}")
            commit(connection)
            if tables:
                self.reached(f"after the commit of {tables}{doing}")

        psycopg.Cursor.execute = executing  # type: ignore[assignment,method-assign]  # on purpose
        psycopg.Connection.commit = committing  # type: ignore[assignment,method-assign]  # on purpose


class Watched:
    """The way to the bank, with a point on each side."""

    name = "http"
    checks_duplicates = True

    def __init__(self, way: Http, reaper: Reaper) -> None:
        self._way = way
        self._reaper = reaper

    def send(self, message_id: str, content: bytes) -> Receipt:
        self._reaper.reached(f"before the bank gets {message_id}")
        receipt = self._way.send(message_id, content)
        self._reaper.reached(f"after the bank got {message_id}")
        return receipt


def live(life: Life) -> None:
    """From wherever it is to the end, or to the point where it dies."""
    reaper = Reaper(life)
    engine = make_engine(ServiceSettings.model_validate(dict(life.settings)))
    sessions = Sessions(engine)
    bank = Bank(life.port, life.folder, life.folder)
    clock = Wall(_morning(bank.today()))
    way = Watched(Http(bank.address, checks_duplicates=True, seconds=20), reaper)
    paying = Paying(way, Archive(life.folder / "archive"), _ignored, ANSWER, RETURN_DAYS, COLLECTION_DAYS)
    handlers = {kind: reaper.watched(kind, handler) for kind, handler in paying.handlers.items()}
    stepper = Stepper(sessions, handlers, clock)
    reaper.install()

    _calculated(sessions)
    _released(sessions)
    _paid_in(sessions, bank)
    hour = life.folder / "hour"  # what the clock on the wall is to a process that begins again
    for number, (day, minute) in enumerate(STAGES):
        if hour.exists() and number < int(hour.read_text()):
            continue
        hour.write_text(str(number))
        if bank.today() < day:
            bank.ask("POST", f"/_mock/advance?to={day}")
        clock.at = _morning(bank.today()) + timedelta(minutes=minute)
        _worked_off(stepper)
        _heard(sessions, bank, clock.at)
    _worked_off(stepper)
    engine.dispose()


def _calculated(sessions: Sessions) -> None:
    at = _morning(BEGINS)
    wanted = [
        Disposition(partner, "EUR", net, 0, Do.PAY if net > 0 else Do.COLLECT, abs(net), "")
        for partner, net in NETS.items()
    ]
    with sessions.writing(PATIENCE) as connection:
        if not instructions.of_batch(connection, BATCH):
            instructions.make(connection, BATCH, 1, wanted, at.date(), at)
            files.build(connection, BATCH, 1, at)


def _released(sessions: Sessions) -> None:
    at = _morning(BEGINS)
    with sessions.writing(PATIENCE) as connection:
        files.approve(connection, BATCH, 1, BEN, at)
    with sessions.writing(PATIENCE) as connection:
        if any(one.reference and one.state == "FROZEN" for one in instructions.of_batch(connection, BATCH)):
            sending.release(connection, BATCH, ANNA, at)


def _paid_in(sessions: Sessions, bank: Bank) -> None:
    """The diner's money, once."""
    if not bank.ask("GET", "/_mock/credits"):
        with sessions.reading(PATIENCE) as connection:
            (asked,) = (one for one in instructions.of_batch(connection, BATCH) if one.reference)
        bank.credit("CLEARING", asked.amount_minor, reference=asked.reference)


def _worked_off(stepper: Stepper) -> None:
    while stepper.one():
        pass


def _heard(sessions: Sessions, bank: Bank, at: datetime) -> None:
    """Everything the bank ever said, again: what was imported before is known by its content."""
    for kind in ("pain.002", "camt.054", "camt.053"):
        for content in bank.said("CLEARING", kind):
            file = bank_file(content)
            with sessions.writing(PATIENCE) as connection:
                bank_files.import_file(connection, content, kind, file, ANNA, at, _ignored)


def _morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC)


def _ignored(*_facts: object) -> None:
    """What a batch would do."""
