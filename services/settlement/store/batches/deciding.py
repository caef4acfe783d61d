"""Submitting, approving and rejecting: what one person calculated another decides, byte for byte."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection

from services.settlement.domain.batch import ENGINE, ProofFailed
from services.settlement.domain.batch.refusals import BatchDiffers, EngineDiffers, OwnBatch
from services.settlement.domain.machines import BATCH
from services.settlement.domain.proposal import ContentChanged
from services.settlement.store import files, transitions
from services.settlement.store.batches import conditions, contents, making, rows
from services.settlement.store.batches.rows import Batch


def submit(connection: Connection, batch: Batch, by: str, at: datetime, etag: int | None = None) -> Batch:
    """Raises TransitionRefused, BatchBlocked, EtagMismatch."""
    BATCH.check(batch.name, batch.state, "PENDING_APPROVAL", "SubmitBatch")
    stored = contents.found(connection, batch, batch.take)
    conditions.check(connection, batch, making.dispositions_of(stored), at, conditions.STOPPING)
    return moved(connection, batch, "PENDING_APPROVAL", "SubmitBatch", by, at, etag=etag)


def approve(connection: Connection, batch: Batch, content_sha256: bytes, by: str, at: datetime) -> Batch:
    """Exactly this content, with all its files, may be released.

    Raises TransitionRefused, OwnBatch, ContentChanged, EngineDiffers, BatchDiffers.
    """
    BATCH.check(batch.name, batch.state, "APPROVED", "ApproveBatch")
    _check_other(batch, by)
    check_content(connection, batch, content_sha256)
    rows.change(connection, batch, decided_by=by)
    files.approve(connection, batch.number, batch.revision, by, at)
    return moved(connection, batch, "APPROVED", "ApproveBatch", by, at)


def reject(connection: Connection, batch: Batch, content_sha256: bytes, why: str, by: str, at: datetime) -> Batch:
    """Raises TransitionRefused, OwnBatch, ContentChanged."""
    BATCH.check(batch.name, batch.state, "REJECTED", "RejectBatch")
    _check_other(batch, by)
    if content_sha256 != batch.content_sha256:
        raise ContentChanged(name=batch.name)
    rows.change(connection, batch, decided_by=by, why=why)
    return moved(connection, batch, "REJECTED", "RejectBatch", by, at, why=why)


def check_content(connection: Connection, batch: Batch, content_sha256: bytes) -> None:
    """What the caller read is what is stored, and what is stored follows from its rows under this engine too.

    Raises ContentChanged, EngineDiffers, BatchDiffers.
    """
    if content_sha256 != batch.content_sha256:
        raise ContentChanged(name=batch.name)
    stored = contents.found(connection, batch, batch.take)
    with suppress(ProofFailed):  # what contradicts itself is not the same either
        if contents.replayed(connection, batch, stored) == stored.content:
            return
    if stored.engine != ENGINE:
        raise EngineDiffers(batch=batch.name, calculated_by=stored.engine, engine=ENGINE)
    raise BatchDiffers(batch=batch.name)


def _check_other(batch: Batch, by: str) -> None:
    if by in batch.makers:
        raise OwnBatch(by=by, batch=batch.name)


def moved(
    connection: Connection,
    batch: Batch,
    to: str,
    act: str,
    by: str,
    at: datetime,
    *,
    why: str = "",
    etag: int | None = None,
) -> Batch:
    """What a person did to a batch, beside the content that it was done to; answers with the batch as it is now."""
    evidence = batch.content_sha256
    transitions.move(
        connection, BATCH, rows.TABLE, batch.name, to, act, by=by, why=why, evidence=evidence, at=at, etag=etag
    )
    return rows.found(connection, batch.name)
