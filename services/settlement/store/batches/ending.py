"""Releasing a batch; and the two ways back while nothing of it was released: another revision, or none."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection

from services.settlement.domain.machines import BATCH
from services.settlement.domain.proposal import Kind
from services.settlement.store import instructions, proposals, reference, sending, stops
from services.settlement.store.batches import conditions, contents, making, openings, rows, slices
from services.settlement.store.batches.deciding import check_content, moved
from services.settlement.store.batches.following import follow, settle_windows
from services.settlement.store.batches.rows import Batch


def release(connection: Connection, batch: Batch, content_sha256: bytes, by: str, at: datetime) -> Batch:
    """Collections first, then what they cover. What it carries is open for the next batch from here on.

    Raises TransitionRefused, ContentChanged, EngineDiffers, BatchDiffers, ClearingMismatch, ClearingOverdrawn,
    BatchBlocked, Quarantined.
    """
    paid, _ = contents.paid_by(connection, batch)
    to = "RELEASING" if paid else "SETTLED"
    BATCH.check(batch.name, batch.state, to, "ReleaseBatch")
    check_content(connection, batch, content_sha256)
    dispositions = making.dispositions_of(contents.found(connection, batch, batch.take))
    stops.check(connection, conditions.paid_in(dispositions))
    conditions.check(connection, batch, dispositions, at, conditions.FLAGGED)
    openings.leave(connection, batch.number, dispositions, at)
    moved(connection, batch, to, "ReleaseBatch", by, at)
    if paid:
        sending.release(connection, batch.number, by, at)
        follow(connection, batch.number, at)
    else:
        settle_windows(connection, batch, at)
    return rows.found(connection, batch.name)


def revise(
    connection: Connection,
    batch: Batch,
    why: str,
    by: str,
    at: datetime,
    *,
    etag: int | None = None,
    due_on: date | None = None,
    fx_set: str = "",
) -> Batch:
    """Back to DRAFT: an approval is void, files are withdrawn, payments cancelled.

    Raises TransitionRefused, EtagMismatch, PaymentFileReleased, ResourceNotFound.
    """
    BATCH.check(batch.name, batch.state, "DRAFT", "ReviseBatch")
    if fx_set:
        reference.fx_set(connection, fx_set)
    _taken_back(connection, batch, "ReviseBatch", why, by, at)
    moved(connection, batch, "DRAFT", "ReviseBatch", by, at, why=why, etag=etag)
    rows.change(
        connection,
        batch,
        revision=batch.revision + 1,
        revised_at=at,
        edited_by=by,
        content_sha256=None,
        decided_by=None,
        why=why,
        due_on=due_on or batch.due_on,
        fx_set=fx_set or batch.fx_set,
    )
    return rows.found(connection, batch.name)


def cancel(connection: Connection, batch: Batch, why: str, by: str, at: datetime, *, etag: int | None = None) -> Batch:
    """The end of it; its slices are free again. Raises TransitionRefused, EtagMismatch, PaymentFileReleased."""
    BATCH.check(batch.name, batch.state, "CANCELLED", "CancelBatch")
    _taken_back(connection, batch, "CancelBatch", why, by, at)
    slices.give_back(connection, batch.number, at)
    rows.change(connection, batch, why=why)
    return moved(connection, batch, "CANCELLED", "CancelBatch", by, at, why=why, etag=etag)


def _taken_back(connection: Connection, batch: Batch, act: str, why: str, by: str, at: datetime) -> None:
    instructions.cancel(connection, batch.number, act, by, at)
    openings.give_back(connection, batch.number)
    proposals.void(connection, Kind.OVERRIDE, batch.name, by=by, at=at, why=why)
