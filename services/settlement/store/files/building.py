"""Building a file: written, checked, hashed and stored before anybody approves it; what it carries is fixed by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby

from sqlalchemy import Connection, text

from services.settlement.domain.instruction import Method, Payment, PaymentFile
from services.settlement.domain.machines import FILE, INSTRUCTION
from services.settlement.formats import ids, payment_file
from services.settlement.store import accounts, instructions, transitions
from services.settlement.store.instructions import SELF, Stored

_PENDING = text("""
SELECT * FROM settlement.instructions
WHERE batch = :batch AND revision = :revision AND state = 'PENDING' AND clearing_account IS NOT NULL
    AND (method = 'PAY_IN' OR bank_account IS NOT NULL)
ORDER BY method, clearing_account, due_on, end_to_end_id
""")
_NEXT = text("""
SELECT coalesce(max(number), 0) + 1 FROM settlement.payment_files WHERE batch = :batch AND revision = :revision
""")
_INSERT = text("""
INSERT INTO settlement.payment_files (msg_id, name, batch, revision, number, kind, format, currency, clearing_account,
    on_day, payments, control_sum_minor, content, sha256, replaces, created_at, state)
VALUES (:msg_id, :name, :batch, :revision, :number, :kind, :format, :currency, :clearing_account,
    :on_day, :payments, :control_sum_minor, :content, :sha256, :replaces, :at, 'BUILT')
""")
_LINE = text("INSERT INTO settlement.file_payments (msg_id, line, instruction) VALUES (:msg_id, :line, :instruction)")
_FILED = text("UPDATE settlement.instructions SET msg_id = :msg_id WHERE name = ANY(:names)")


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """What a batch's content says of a file."""

    msg_id: str
    sha256: bytes
    control_sum_minor: int
    count: int


def build(connection: Connection, batch: int, revision: int, at: datetime) -> list[BuiltFile]:
    """A file for each clearing account, currency, day and direction; pay-ins are fixed without one.

    Raises BankAccountInvalid and FileNotValid: then there is neither a file nor a fixed instruction.
    """
    rows = [instructions.stored_of(row) for row in connection.execute(_PENDING, _which(batch, revision)).mappings()]
    pay_ins = [row.name for row in rows if row.method is Method.PAY_IN]
    _freeze(connection, pay_ins, "built", at)
    filed = [row for row in rows if row.method is not Method.PAY_IN]
    return [
        put(connection, list(group), "CalculateBatch", "built", at)
        for _, group in groupby(filed, key=lambda row: (row.method, row.clearing_account, row.due_on))
    ]


def put(
    connection: Connection, carried: Sequence[Stored], act: str, frozen_by: str, at: datetime, replaces: str = ""
) -> BuiltFile:
    """Write, check and store one file for these instructions, all of one clearing account and day, and fix them."""
    first = carried[0]
    number = connection.execute(_NEXT, _which(first.batch, first.revision)).scalar_one()
    ends = accounts.named(connection, [first.clearing_account, *(one.bank_account for one in carried)])
    file = PaymentFile(
        message_id=ids.message_id(first.batch, first.revision, number),
        method=first.method,
        clearing=ends[first.clearing_account],
        on=first.due_on,
        created_at=at,
        payments=tuple(Payment(one.end_to_end_id, one.amount_minor, ends[one.bank_account]) for one in carried),
    )
    content = payment_file.written(file)
    digest = sha256(content).digest()
    facts = {
        "msg_id": file.message_id,
        "name": f"files/{file.message_id}",
        **_which(first.batch, first.revision),
        "number": number,
        "kind": "COLLECT" if file.method is Method.DIRECT_DEBIT else "PAY",
        "format": payment_file.format_of(file.method),
        "currency": file.currency,
        "clearing_account": file.clearing.iban,
        "on_day": file.on,
        "payments": len(file.payments),
        "control_sum_minor": file.control_sum_minor,
        "content": content,
        "sha256": digest,
        "replaces": replaces or None,
        "at": at,
    }
    connection.execute(_INSERT, facts)
    name = f"files/{file.message_id}"
    transitions.begin(connection, FILE, name, "BUILT", act, by=SELF, evidence=digest, at=at)
    lines = enumerate(carried, start=1)
    connection.execute(_LINE, [{"msg_id": file.message_id, "line": n, "instruction": one.name} for n, one in lines])
    connection.execute(_FILED, {"msg_id": file.message_id, "names": [one.name for one in carried]})
    _freeze(connection, [one.name for one in carried], frozen_by, at)
    return BuiltFile(file.message_id, digest, file.control_sum_minor, len(carried))


def _freeze(connection: Connection, names: Sequence[str], act: str, at: datetime) -> None:
    transitions.move_all(connection, INSTRUCTION, instructions.TABLE, names, "FROZEN", act, by=SELF, at=at)


def _which(batch: int, revision: int) -> dict[str, int]:
    return {"batch": batch, "revision": revision}
