"""Releasing a batch and sending its files: collections first, then what they cover. Recorded before and after.

A send has two parts, each a transaction: the first writes down that it begins and makes the instructions SENT; the
second puts a copy into the archive, hands over the bytes and writes down what came of it. What was begun and has no end
was perhaps sent: the same bytes go again where the bank knows its MsgIds, otherwise nobody sends them a second time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from services.settlement.domain.evidence import Evidence, Rank, Verdict
from services.settlement.domain.machines import FILE, INSTRUCTION
from services.settlement.domain.refusals import MoneyMayHaveMoved
from services.settlement.domain.sending import Outcome, Receipt, Transport
from services.settlement.store import evidence, files, funding, instructions, quarantine, steps, stops, transitions
from services.settlement.store.files import File
from services.settlement.store.funding import Shortage
from services.settlement.store.instructions import SELF
from services.settlement.store.steps import Step
from shared.instants import micros

SEND: Final = "send"
FUND: Final = "fund"
SILENCE: Final = "silence"
FINAL: Final = "final"

_FROZEN_PAY_INS = text("""
SELECT name FROM settlement.instructions WHERE batch = :batch AND state = 'FROZEN' AND method = 'PAY_IN' ORDER BY name
""")
_OF_FILE = text("SELECT name FROM settlement.instructions WHERE msg_id = :msg_id AND state = :state ORDER BY name")
_BEGUN = text("SELECT number FROM settlement.sendings WHERE msg_id = :msg_id AND outcome = ''")
_BEGIN = text("""
INSERT INTO settlement.sendings (msg_id, number, fence, transport, sha256, begun_at)
SELECT :msg_id, coalesce(max(number), 0) + 1, :fence, :transport, :sha256, :at
FROM settlement.sendings WHERE msg_id = :msg_id RETURNING number
""")
_END = text("""
UPDATE settlement.sendings SET outcome = :outcome, detail = :detail, ended_at = :at
WHERE msg_id = :msg_id AND number = :number
""")

# The bank's books show a payment of the file, or the attempt before it, and not that it came back.
_MOVED = text("""
SELECT e.instruction FROM settlement.file_payments f
JOIN settlement.instructions i ON i.name = f.instruction
JOIN settlement.evidence e ON e.instruction IN (i.name, i.supersedes)
WHERE f.msg_id = :msg_id GROUP BY e.instruction
HAVING bool_or(e.verdict = 'BOOKED' AND e.rank >= 4) AND NOT bool_or(e.verdict = 'RETURNED') LIMIT 1
""")


def release(connection: Connection, batch: int, by: str, at: datetime) -> list[Shortage]:
    """Let the files of an approved batch go; answers with what waits, for funding or for a stop to be over.

    May be called again and again.

    Raises Quarantined, PaymentFileChanged.
    """
    quarantine.check(connection)
    pay_ins = connection.execute(_FROZEN_PAY_INS, {"batch": batch}).scalars().all()
    transitions.move_all(connection, INSTRUCTION, instructions.TABLE, pay_ins, "SENT", "transport", by=by, at=at)
    funding.lock(connection)
    covered, waiting = looked_at(connection, batch)
    for file in covered:
        _release(connection, file, by, at)
    if waiting:
        steps.ask(connection, FUND, f"batches/{batch}", due_at=at, at=at)
    steps.ask(connection, FINAL, f"batches/{batch}", due_at=at, at=at)
    return waiting


def looked_at(connection: Connection, batch: int) -> tuple[list[File], list[Shortage]]:
    """The approved files of a batch that may go now, collections first; and what each of the others waits for."""
    free, covered, waiting = funding.free(connection), list[File](), list[Shortage]()
    stopped = {stop.currency: stop.amount_minor for stop in stops.standing(connection)}
    approved = files.of_batch(connection, batch, "APPROVED")
    for file in sorted(approved, key=lambda file: file.kind):  # COLLECT before PAY
        missing = 0 if file.kind == "COLLECT" else claim(connection, file) - free.get(file.currency, 0)
        short = max(missing, stopped.get(file.currency, 0))
        if short > 0:
            waiting.append(Shortage(file.msg_id, file.currency, short))
            continue
        if file.kind == "PAY":
            free[file.currency] = -missing
        covered.append(file)
    return covered, waiting


def begin(connection: Connection, step: Step, transport: Transport, at: datetime) -> int | None:
    """The first part of a send: its number, or None when nothing is to be sent (any more).

    Raises PaymentFileChanged, MoneyMayHaveMoved, Quarantined, ClearingMismatch, ClearingOverdrawn: then nothing was
    begun.
    """
    quarantine.check(connection)
    file = files.found(connection, f"files/{step.subject}")
    if file.state != "RELEASED":
        return None
    stops.check(connection, {file.currency})
    files.approved_content(connection, file)
    if moved := connection.execute(_MOVED, {"msg_id": file.msg_id}).scalar():
        raise MoneyMayHaveMoved(name=moved, state="in the bank's books", act="sending")
    facts = {"msg_id": file.msg_id, "fence": step.fence, "transport": transport.name, "sha256": file.sha256, "at": at}
    number: int = connection.execute(_BEGIN, facts).scalar_one()
    _move(connection, file.msg_id, "FROZEN", "SENT", "transport", at)
    return number


def begun(connection: Connection, msg_id: str) -> int | None:
    """The number of the send that has no end yet."""
    number: int | None = connection.execute(_BEGUN, {"msg_id": msg_id}).scalar()
    return number


def end(
    connection: Connection, msg_id: str, number: int, receipt: Receipt, answer_within: timedelta, at: datetime
) -> None:
    """The second part of a send, when it is over: what came of it."""
    outcome = {"outcome": receipt.outcome.value, "detail": receipt.detail, "at": at}
    connection.execute(_END, {**outcome, "msg_id": msg_id, "number": number})
    if receipt.outcome is Outcome.TAKEN and files.found(connection, f"files/{msg_id}").state == "RELEASED":
        transmitted(connection, msg_id, "transport", f"sendings/{msg_id}/{number}", SELF, answer_within, at)
    elif receipt.outcome is Outcome.UNCLEAR:
        _move(connection, msg_id, "SENT", "UNKNOWN", "silence", at)


def transmitted(
    connection: Connection, msg_id: str, act: str, source: str, by: str, answer_within: timedelta, at: datetime
) -> None:
    """The file is at the bank; `act` is transport or MarkTransmitted. Its answer is waited for until then."""
    file = files.found(connection, f"files/{msg_id}")
    transitions.move(
        connection, FILE, files.TABLE, file.name, "TRANSMITTED", act, by=by, why=source, evidence=file.sha256, at=at
    )
    receipt = Evidence(Rank.TRANSPORT, Verdict.SENT, micros(at), source, about=msg_id)
    carried = [(one.name, receipt) for one in files.instructions_of(connection, msg_id) if one.msg_id == msg_id]
    evidence.record(connection, carried, by, at)
    steps.ask(connection, SILENCE, msg_id, due_at=at + answer_within, at=at)


def mark_transmitted(connection: Connection, name: str, answer_within: timedelta, by: str, at: datetime) -> File:
    """A person carried the file to the bank.

    Raises PaymentFileNotFound, PaymentFileChanged, TransitionRefused, Quarantined.
    """
    quarantine.check(connection)
    file = files.found(connection, name)
    files.approved_content(connection, file)
    FILE.check(name, file.state, "TRANSMITTED", "MarkTransmitted")
    _move(connection, file.msg_id, "FROZEN", "SENT", "transport", at)
    transmitted(connection, file.msg_id, "MarkTransmitted", by, by, answer_within, at)
    return files.found(connection, name)


def fell_silent(connection: Connection, msg_id: str, at: datetime) -> None:
    """The answer time is over: what nothing is known of has an unknown fate."""
    _move(connection, msg_id, "SENT", "UNKNOWN", "silence", at)


def claim(connection: Connection, file: File) -> int:
    """What a pay file needs of the free money: nothing where its payments were counted before, as failed ones."""
    again = [one for one in files.instructions_of(connection, file.msg_id) if file.replaces or one.supersedes]
    return file.control_sum_minor - sum(one.amount_minor for one in again)


def _release(connection: Connection, file: File, by: str, at: datetime) -> None:
    files.approved_content(connection, file)
    transitions.move(
        connection, FILE, files.TABLE, file.name, "RELEASED", "ReleaseBatch", by=by, evidence=file.sha256, at=at
    )
    steps.ask(connection, SEND, file.msg_id, due_at=at, at=at)


def _move(connection: Connection, msg_id: str, frm: str, to: str, act: str, at: datetime) -> None:
    names = connection.execute(_OF_FILE, {"msg_id": msg_id, "state": frm}).scalars().all()
    transitions.move_all(connection, INSTRUCTION, instructions.TABLE, names, to, act, by=SELF, at=at)
