"""Approving files: each under its own hash. What is approved is what will be sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from services.settlement.domain.machines import FILE
from services.settlement.domain.refusals import OwnPaymentFile, PaymentFileChanged
from services.settlement.store import transitions
from services.settlement.store.files.rows import COLUMNS, TABLE, File, content, file_of, found, instructions_of

_BUILT = text(f"""
SELECT {COLUMNS} FROM settlement.payment_files
WHERE batch = :batch AND revision = :revision AND state = 'BUILT' AND replaces IS NULL ORDER BY name
""")
# Who had a hand in what the file carries.
_HANDS = text("""
SELECT DISTINCT "by" FROM settlement.transitions
WHERE name = :name OR (name = :batch AND act IN ('CreateBatch', 'CalculateBatch', 'ReviseBatch', 'SubmitBatch'))
    OR (name = ANY(:carried) AND act = 'SupersedeInstruction')
""")


def approve(connection: Connection, batch: int, revision: int, by: str, at: datetime) -> None:
    """The files of an approved batch, each under its own hash: what is approved is what will be sent."""
    for row in connection.execute(_BUILT, {"batch": batch, "revision": revision}).mappings().all():
        _approved(connection, file_of(row), "ApproveBatch", by, at)


def approve_one(connection: Connection, name: str, digest: bytes, by: str, at: datetime) -> File:
    """A file that came after its batch was approved: a replacement, or another attempt.

    Raises PaymentFileNotFound, OwnPaymentFile, PaymentFileChanged, TransitionRefused.
    """
    file = found(connection, name)
    carried = [one.name for one in instructions_of(connection, file.msg_id)]
    named = {"name": name, "batch": f"batches/{file.batch}", "carried": carried}
    if by in connection.execute(_HANDS, named).scalars().all():
        raise OwnPaymentFile(by=by, name=name)
    if digest != file.sha256:
        raise PaymentFileChanged(name=name)
    _approved(connection, file, "ApproveFile", by, at)
    return found(connection, name)


def _approved(connection: Connection, file: File, act: str, by: str, at: datetime) -> None:
    content(connection, file)
    transitions.move(connection, FILE, TABLE, file.name, "APPROVED", act, by=by, evidence=file.sha256, at=at)
