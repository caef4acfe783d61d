"""Payment instructions as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.instruction import Method
from services.settlement.domain.refusals import InstructionNotFound

SELF = "service/settlement"
"""Who moves what no person moved."""
TABLE = "instructions"

_ONE = text("SELECT * FROM settlement.instructions WHERE name = :name")
_OF_BATCH = text("""
SELECT * FROM settlement.instructions WHERE batch = :batch AND name > :after
    AND (:state = '' OR state = :state)
ORDER BY name LIMIT :limit
""")
_UNKNOWN_FIRST = text("""
SELECT * FROM settlement.instructions WHERE (state <> 'UNKNOWN', name) > (:rest, :after)
    AND (:state = '' OR state = :state)
ORDER BY state <> 'UNKNOWN', name LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Stored:
    """An instruction's row. `account` is the counterparty's IBAN as it was fixed, empty for a pay-in."""

    name: str
    end_to_end_id: str
    batch: int
    revision: int
    partner: str
    currency: str
    attempt: int
    method: Method
    amount_minor: int
    reference: str
    due_on: date
    account: str
    bank_account: str
    clearing_account: str
    supersedes: str
    msg_id: str
    stated_on: date | None
    created_at: datetime
    state: str
    etag: int


def found(connection: Connection, name: str) -> Stored:
    """Raises InstructionNotFound."""
    row = connection.execute(_ONE, {"name": name}).mappings().first()
    if row is None:
        raise InstructionNotFound(name=name)
    return stored_of(row)


def of_batch(
    connection: Connection, batch: int, after: str = "", limit: int = 1_000_000, state: str = ""
) -> list[Stored]:
    """The instructions of a batch by name."""
    wanted = {"batch": batch, "after": after, "limit": limit, "state": state}
    return [stored_of(row) for row in connection.execute(_OF_BATCH, wanted).mappings()]


def page(connection: Connection, after: tuple[bool, str], limit: int, state: str = "") -> list[Stored]:
    """All instructions, those of unknown fate first; `after` is (whether it was another, its name)."""
    wanted = {"rest": after[0], "after": after[1], "limit": limit, "state": state}
    return [stored_of(row) for row in connection.execute(_UNKNOWN_FIRST, wanted).mappings()]


def stored_of(row: RowMapping) -> Stored:
    """A row of instructions."""
    facts = {field: row[field] for field in Stored.__slots__ if field != "method"}
    texts = {field: row[field] or "" for field in ("bank_account", "clearing_account", "supersedes", "msg_id")}
    return Stored(**{**facts, **texts, "method": Method(row["method"])})
