"""What the bank answers to our files, and what it sends back, as evidence for the payments in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.bank import Return, ReturnNotice, StatusReport
from services.settlement.domain.breaks import BreakReason, Found
from services.settlement.domain.evidence import Evidence, Rank, Verdict
from services.settlement.domain.machines import FILE
from services.settlement.store import breaks, evidence, repairs, transitions
from services.settlement.store.instructions import SELF

DUPLICATE = "DUPL"
"""The bank knows our MsgId: the first send arrived. It says nothing about single payments (lock 4, F32)."""

_ACCEPTED = frozenset({"ACCP", "ACTC", "ACSP", "ACSC", "ACWC", "ACCC", "PART"})
_REJECTED = "RJCT"
_FILE = text("SELECT name, batch, state FROM settlement.payment_files WHERE msg_id = :msg_id")
_PAYMENTS = text("""
SELECT i.name, i.end_to_end_id, i.batch, i.currency, i.amount_minor
FROM settlement.file_payments f JOIN settlement.instructions i ON i.name = f.instruction
WHERE f.msg_id = :msg_id ORDER BY f.line
""")
_BY_ID = text("""
SELECT name, end_to_end_id, batch, currency, amount_minor FROM settlement.instructions
WHERE end_to_end_id = ANY(:ids)
""")


class _Payment(NamedTuple):
    name: str
    end_to_end_id: str
    batch: int
    currency: str
    amount_minor: int


def take_in_status(connection: Connection, report: StatusReport, source: str, by: str, at: datetime) -> list[int]:
    """What a pain.002 says of a file and of its payments; answers with the batches concerned."""
    file = connection.execute(_FILE, {"msg_id": report.original_message_id}).first()
    if file is None:
        detail = "an answer to a file that we never sent"
        breaks.open_all(connection, [Found(BreakReason.UNKNOWN_FILE, source, detail)], by, at)
        return []
    if file.state == "WITHDRAWN":
        found = Found(BreakReason.EVIDENCE_FOR_CANCELLED, source, "the file was withdrawn", file.batch)
        breaks.open_all(connection, [found], by, at)
        return []
    rows = connection.execute(_PAYMENTS, {"msg_id": report.original_message_id}).all()
    payments = {row.end_to_end_id: _Payment(*row) for row in rows}
    said = _said(report, payments, source)
    rejected = _move_file(connection, file.name, report, by, at) == "REJECTED"
    unknown = [
        Found(BreakReason.UNKNOWN_PAYMENT, f"{source}/{answer.end_to_end_id}", "not a payment of the file", file.batch)
        for answer in report.answers
        if answer.end_to_end_id not in payments
    ]
    breaks.open_all(connection, unknown, by, at)
    batches = evidence.record(connection, said, by, at)
    if rejected:
        repairs.refile(connection, report.original_message_id, at)
    return batches


def take_in_returns(connection: Connection, notice: ReturnNotice, source: str, by: str, at: datetime) -> list[int]:
    """What a pacs.004 says; answers with the batches concerned."""
    ids = [one.end_to_end_id for one in notice.returns]
    payments = {row.end_to_end_id: _Payment(*row) for row in connection.execute(_BY_ID, {"ids": ids})}
    found = [wrong for one in notice.returns if (wrong := _wrong(one, payments.get(one.end_to_end_id), source))]
    breaks.open_all(connection, found, by, at)
    said = [
        (payment.name, Evidence(Rank.RETURNED, Verdict.RETURNED, notice.said_at, source, one.code))
        for one in notice.returns
        if (payment := payments.get(one.end_to_end_id)) and _wrong(one, payment, source) is None
    ]
    return evidence.record(connection, said, by, at)


def _said(report: StatusReport, payments: Mapping[str, _Payment], source: str) -> list[tuple[str, Evidence]]:
    said = []
    whole = _of_file(report, source)
    if whole is not None:
        said = [(payment.name, whole) for payment in payments.values()]
    for answer in report.answers:
        verdict = _verdict(answer.status)
        if answer.end_to_end_id in payments and verdict is not None:
            about = report.original_message_id
            one = Evidence(Rank.PAYMENT_ANSWER, verdict, report.said_at, source, answer.code, about=about)
            said.append((payments[answer.end_to_end_id].name, one))
    return said


def _of_file(report: StatusReport, source: str) -> Evidence | None:
    about = report.original_message_id
    if report.status == _REJECTED and report.code == DUPLICATE:
        return Evidence(Rank.TRANSPORT, Verdict.SENT, report.said_at, source, DUPLICATE, about=about)
    verdict = _verdict(report.status)
    if verdict is None or (verdict is Verdict.ACCEPTED and report.status == "PART"):
        return None  # partly accepted: each payment has its own answer
    return Evidence(Rank.FILE_ANSWER, verdict, report.said_at, source, report.code, about=about)


def _verdict(status: str) -> Verdict | None:
    if status == _REJECTED:
        return Verdict.REJECTED
    return Verdict.ACCEPTED if status in _ACCEPTED else None


def _move_file(connection: Connection, name: str, report: StatusReport, by: str, at: datetime) -> str:
    """The state that the file moved to, if it did."""
    verdict = _verdict(report.status)
    if verdict is None or report.code == DUPLICATE:
        return ""
    to = "REJECTED" if verdict is Verdict.REJECTED else "ACKNOWLEDGED"
    state = str(connection.execute(_FILE, {"msg_id": report.original_message_id}).one().state)
    if state == "RELEASED":  # we do not know yet that it arrived, and the bank has answered it
        transitions.move(connection, FILE, "payment_files", name, "TRANSMITTED", "transport", by=SELF, at=at)
        state = "TRANSMITTED"
    if state not in FILE.sources(to, "evidence"):
        return ""
    transitions.move(connection, FILE, "payment_files", name, to, "evidence", by=by, why=report.code, at=at)
    return to


def _wrong(one: Return, payment: _Payment | None, source: str) -> Found | None:
    subject = f"{source}/{one.end_to_end_id}"
    if payment is None:
        return Found(BreakReason.UNKNOWN_PAYMENT, subject, "a return of a payment that we never made")
    if (one.amount_minor, one.currency) != (payment.amount_minor, payment.currency):
        detail = f"{one.amount_minor} of {payment.amount_minor} {payment.currency} came back"
        reason = BreakReason.AMOUNT_MISMATCH
        return Found(reason, subject, detail, payment.batch, payment.name, one.currency, one.amount_minor)
    return None
