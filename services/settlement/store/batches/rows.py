"""Batches by their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.batch.refusals import BatchNotFound
from services.settlement.domain.netting import Model

TABLE = "batches"

_COLUMNS = """number, name, state, etag, revision, model, named_model, due_on, fx_set, created_by, created_at,
    edited_by, revised_at, take, content_sha256, decided_by, why, default_of"""
_ONE = text(f"SELECT {_COLUMNS} FROM settlement.batches WHERE name = :name")
_LOCKED = text(f"SELECT {_COLUMNS} FROM settlement.batches WHERE name = :name FOR UPDATE")
_PAGE = text(f"SELECT {_COLUMNS} FROM settlement.batches WHERE number > :after ORDER BY number LIMIT :limit")
_INSERT = text(f"""
INSERT INTO settlement.batches (number, state, model, named_model, due_on, fx_set, created_by, created_at, edited_by,
    revised_at, default_of)
SELECT coalesce(max(number), 0) + 1, 'DRAFT', :model, :named_model, :due_on, :fx_set, CAST(:by AS text), :at, :by, :at,
    CAST(:default_of AS bigint)
FROM settlement.batches RETURNING {_COLUMNS}
""")
# Numbers are taken one after the other, and two who want the same slices take turns.
_LOCK = text("SELECT pg_advisory_xact_lock(9, 0)")


@dataclass(frozen=True, slots=True)
class Batch:
    """`revised_at` is when the present revision began; whatever is calculated of it takes its time from there.

    `take` counts calculations over all revisions; `content_sha256` is of the newest, empty in DRAFT.
    """

    number: int
    name: str
    state: str
    etag: int
    revision: int
    model: Model
    named_model: str
    due_on: date
    fx_set: str
    created_by: str
    created_at: datetime
    edited_by: str
    revised_at: datetime
    take: int
    content_sha256: bytes
    decided_by: str
    why: str
    default_of: int

    @property
    def makers(self) -> frozenset[str]:
        """Who may not decide it."""
        return frozenset({self.created_by, self.edited_by})


def lock(connection: Connection) -> None:
    """From here to the end of the transaction nobody else makes a batch."""
    connection.execute(_LOCK)


def insert(
    connection: Connection,
    model: Model,
    by: str,
    at: datetime,
    *,
    due_on: date,
    named_model: str = "",
    fx_set: str = "",
    default_of: int | None = None,
) -> Batch:
    """A new row in DRAFT, under the lock; its beginning is written down by whoever calls this."""
    facts = {"model": model.value, "named_model": named_model, "due_on": due_on, "fx_set": fx_set}
    row = connection.execute(_INSERT, {**facts, "by": by, "at": at, "default_of": default_of}).mappings().one()
    return batch_of(row)


def found(connection: Connection, name: str) -> Batch:
    """Raises BatchNotFound."""
    return _one(connection.execute(_ONE, {"name": name}).mappings().first(), name)


def locked(connection: Connection, name: str) -> Batch:
    """For whoever is about to move it: nobody else does until the transaction ends. Raises BatchNotFound."""
    return _one(connection.execute(_LOCKED, {"name": name}).mappings().first(), name)


def page(connection: Connection, after: int, limit: int) -> list[Batch]:
    """Batches by number."""
    return [batch_of(row) for row in connection.execute(_PAGE, {"after": after, "limit": limit}).mappings()]


def change(connection: Connection, batch: Batch, **columns: object) -> None:
    """Set columns that follow from an act; the state is `transitions.move`'s."""
    names = ", ".join(f"{name} = :{name}" for name in sorted(columns))
    connection.execute(
        text(f"UPDATE settlement.batches SET {names} WHERE number = :number"), {**columns, "number": batch.number}
    )


def batch_of(row: RowMapping) -> Batch:
    """A row of batches."""
    facts = {field: row[field] for field in Batch.__slots__}
    facts |= {
        "model": Model(row["model"]),
        "content_sha256": bytes(row["content_sha256"] or b""),
        "decided_by": row["decided_by"] or "",
        "default_of": row["default_of"] or 0,
    }
    return Batch(**facts)


def _one(row: RowMapping | None, name: str) -> Batch:
    if row is None:
        raise BatchNotFound(batch=name)
    return batch_of(row)
