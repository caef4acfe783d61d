"""Payment files as rows. Bytes never leave the database without being hashed again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.refusals import PaymentFileChanged, PaymentFileNotFound
from services.settlement.store import instructions, transitions
from services.settlement.store.instructions import Stored

TABLE = "payment_files"
COLUMNS = """msg_id, name, batch, revision, number, kind, format, currency, clearing_account, on_day, payments,
    control_sum_minor, sha256, replaces, created_at, state, etag"""
_ONE = text(f"SELECT {COLUMNS} FROM settlement.payment_files WHERE name = :name")
_CONTENT = text("SELECT content FROM settlement.payment_files WHERE name = :name")
_OF_BATCH = text(f"""
SELECT {COLUMNS} FROM settlement.payment_files WHERE (:batch = 0 OR batch = :batch) AND name > :after
    AND (:state = '' OR state = :state)
ORDER BY name LIMIT :limit
""")
_INSTRUCTIONS = text("""
SELECT i.* FROM settlement.file_payments f JOIN settlement.instructions i ON i.name = f.instruction
WHERE f.msg_id = :msg_id ORDER BY f.line
""")


@dataclass(frozen=True, slots=True)
class File:
    """A file's row, without its bytes."""

    msg_id: str
    name: str
    batch: int
    revision: int
    number: int
    kind: str
    format: str
    currency: str
    clearing_account: str
    on_day: date
    payments: int
    control_sum_minor: int
    sha256: bytes
    replaces: str
    created_at: datetime
    state: str
    etag: int


def found(connection: Connection, name: str) -> File:
    """Raises PaymentFileNotFound."""
    row = connection.execute(_ONE, {"name": name}).mappings().first()
    if row is None:
        raise PaymentFileNotFound(name=name)
    return file_of(row)


def content(connection: Connection, file: File) -> bytes:
    """The bytes, hashed again on the way out. Raises PaymentFileChanged."""
    stored = bytes(connection.execute(_CONTENT, {"name": file.name}).scalar_one())
    if sha256(stored).digest() != file.sha256:
        raise PaymentFileChanged(name=file.name)
    return stored


def approved_content(connection: Connection, file: File) -> bytes:
    """The bytes, if they are those that were approved: the chain of what happened to the file says so (lock 3).

    Raises PaymentFileChanged.
    """
    approvals = [step for step in transitions.chain(connection, file.name) if step.state == "APPROVED"]
    if not approvals or approvals[-1].evidence != file.sha256:
        raise PaymentFileChanged(name=file.name)
    return content(connection, file)


def page(connection: Connection, batch: int, after: str, limit: int, state: str = "") -> list[File]:
    """Files by name; batch 0 means all."""
    wanted = {"batch": batch, "after": after, "limit": limit, "state": state}
    return [file_of(row) for row in connection.execute(_OF_BATCH, wanted).mappings()]


def of_batch(connection: Connection, batch: int, state: str) -> list[File]:
    """The files of a batch in one state, in the order of their numbers."""
    found = page(connection, batch, "", 1_000_000, state)
    return sorted(found, key=lambda file: (file.revision, file.number))


def instructions_of(connection: Connection, msg_id: str) -> list[Stored]:
    """What a file carries, line by line."""
    rows = connection.execute(_INSTRUCTIONS, {"msg_id": msg_id}).mappings()
    return [instructions.stored_of(row) for row in rows]


def file_of(row: RowMapping) -> File:
    """A row of payment_files without its bytes."""
    facts = {field: row[field] for field in File.__slots__}
    return File(**{**facts, "sha256": bytes(row["sha256"]), "replaces": row["replaces"] or ""})
