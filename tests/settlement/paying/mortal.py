"""The life of a batch from its making to its end, as a program that dies where it is told to, by kill -9.

It may be begun again at any time and goes on where it was: everything it knows is in the database. At its end the
archive is found to hold a file that no row knows, as after a restore, so that the stepper begins a quarantine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from services.settlement.api.bank.http import Http
from services.settlement.domain.sending import Outcome, Receipt
from services.settlement.formats.bank_file import bank_file
from services.settlement.main import steps_of
from services.settlement.store import bank_files, instructions, quarantine, restored
from services.settlement.store.archive import Archive
from services.settlement.store.batches import deciding, ending, follow, making, rows
from services.settlement.store.batches.rows import Batch
from services.settlement.store.paying import Paying
from services.settlement.store.stepper import Stepper
from shared.db.engine import make_engine
from shared.db.sessions import Sessions
from shared.settings import ServiceSettings
from tests.settlement.bank import Bank
from tests.settlement.cashier import ANNA, ANSWER, BEN, COLLECTION_DAYS, PATIENCE, Wall
from tests.settlement.reaper import Reaper

BATCH, WINDOW = 1, 1
NETS = {"bakery": 845_900, "cinema": 267_400, "diner": -1_113_300}
"""The diner pays in what the others are paid, so their file waits for it."""
BEGINS, STATED, ENDS, OVER = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 5), date(2026, 3, 6)
STAGES = ((BEGINS, 0), (BEGINS, 1), (BEGINS, 2), (STATED, 3), (ENDS, 4), (OVER, 5))
"""The day, and the minutes past the hour at which settlement looks."""
RETURN_DAYS = 2
STRANGE = "B9-R1-F1"
"""A file that the archive has and no row."""
_SECONDS = 60.0
"""Long, so that a busy machine is no failure."""
_DUE = text("SELECT count(*) FROM settlement.steps WHERE state = 'DUE' AND due_at <= :at")


@dataclass(frozen=True)
class Life:
    """All that a life needs to go on in another process.

    It dies at a point, by its number or its name; those that it came to are listed in the file `points`. Where the line
    goes dead, the first answer of the bank to a file is lost.
    """

    settings: Mapping[str, object]
    folder: Path
    port: int
    points: Path
    die_at: int | str = 0
    line_goes_dead: bool = False


class Watched:
    """The way to the bank, with a point on each side."""

    name = "http"
    checks_duplicates = True

    def __init__(self, way: Http, reaper: Reaper, life: Life) -> None:
        self._way = way
        self._reaper = reaper
        self._dead = life.folder / "line" if life.line_goes_dead else None

    def send(self, message_id: str, content: bytes) -> Receipt:
        self._reaper.reached(f"before the bank gets {message_id}")
        receipt = self._way.send(message_id, content)
        self._reaper.reached(f"after the bank got {message_id}")
        if self._dead is not None and not self._dead.exists():
            self._dead.touch()
            return Receipt(Outcome.UNCLEAR, "the line went dead")
        return receipt


def live(life: Life) -> None:
    """From wherever it is to the end, or to the point where it dies."""
    reaper = Reaper(life.points, life.die_at)
    engine = make_engine(ServiceSettings.model_validate(dict(life.settings)))
    sessions = Sessions(engine)
    bank = Bank(life.port, life.folder, life.folder)
    clock = Wall(_morning(bank.today()))
    way = Watched(Http(bank.address, checks_duplicates=True, seconds=20), reaper, life)
    archive = Archive(life.folder / "archive")
    paying = Paying(way, archive, follow, ANSWER, RETURN_DAYS, COLLECTION_DAYS)
    handlers = {kind: reaper.watched(kind, handler) for kind, handler in steps_of(paying).items()}
    look = quarantine.looking(restored.archive_disagrees(archive))
    reaper.install()

    _decided(sessions)
    _paid_in(sessions, bank)
    hour = life.folder / "hour"  # what the clock on the wall is to a process that begins again
    for number, (day, minute) in enumerate(STAGES):
        if hour.exists() and number < int(hour.read_text()):
            continue
        hour.write_text(str(number))
        if bank.today() < day:
            bank.ask("POST", f"/_mock/advance?to={day}")
        clock.at = _morning(bank.today()) + timedelta(minutes=minute)
        if number == len(STAGES) - 1:
            archive.keep(STRANGE, b"what went out before a restore")
        _worked_off(sessions, Stepper(sessions, handlers, clock, look), clock)
        _heard(sessions, bank, clock.at)
    engine.dispose()


def _calculate(connection: Connection, batch: Batch, at: datetime) -> object:
    return making.calculate(connection, batch, ANNA, at)


def _submit(connection: Connection, batch: Batch, at: datetime) -> object:
    return deciding.submit(connection, batch, ANNA, at)


def _approve(connection: Connection, batch: Batch, at: datetime) -> object:
    return deciding.approve(connection, batch, batch.content_sha256, BEN, at)


def _release(connection: Connection, batch: Batch, at: datetime) -> object:
    return ending.release(connection, batch, batch.content_sha256, ANNA, at)


_ACTS: Mapping[str, Callable[[Connection, Batch, datetime], object]] = {
    "DRAFT": _calculate,
    "CALCULATED": _submit,
    "PENDING_APPROVAL": _approve,
    "APPROVED": _release,
}
"""What two people do with a batch in each state."""


def _decided(sessions: Sessions) -> None:
    at = _morning(BEGINS)
    while True:
        with sessions.reading(PATIENCE) as connection:
            made = rows.page(connection, 0, 1)
        if made and made[0].state not in _ACTS:
            return
        with sessions.writing(PATIENCE) as connection:
            if made:
                _ACTS[made[0].state](connection, rows.locked(connection, made[0].name), at)
            else:
                making.create(connection, [WINDOW], [], ANNA, at)


def _paid_in(sessions: Sessions, bank: Bank) -> None:
    """The diner's money, once."""
    if not bank.ask("GET", "/_mock/credits"):
        with sessions.reading(PATIENCE) as connection:
            (asked,) = (one for one in instructions.of_batch(connection, BATCH) if one.reference)
        bank.credit("CLEARING", asked.amount_minor, reference=asked.reference)


def _worked_off(sessions: Sessions, stepper: Stepper, clock: Wall) -> None:
    """All that is due, also what a dead one has claimed and what was put off for a moment."""
    give_up = time.monotonic() + _SECONDS
    while time.monotonic() < give_up:
        if stepper.one():
            continue
        with sessions.reading(PATIENCE) as connection:
            if not connection.execute(_DUE, {"at": clock.at}).scalar():
                return
        time.sleep(0.02)
    raise TimeoutError


def _heard(sessions: Sessions, bank: Bank, at: datetime) -> None:
    """Everything the bank ever said, again: what was imported before is known by its content."""
    for kind in ("pain.002", "camt.054", "camt.053"):
        for content in bank.said("CLEARING", kind):
            file = bank_file(content)
            with sessions.writing(PATIENCE) as connection:
                bank_files.import_file(connection, content, kind, file, ANNA, at, follow)


def _morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC)
