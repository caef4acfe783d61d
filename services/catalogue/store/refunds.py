"""Refunds: each under the lock of its purchase, so that they follow each other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.domain.purchase import Entry, Refund, Standing
from services.catalogue.store.tables import PURCHASES, REFUNDS


def add(connection: Connection, refund: Refund) -> bool:
    """Write a refund and what it takes off its purchase, whose lock the caller holds. False: its request has one."""
    values = {
        "refund_id": refund.refund_id,
        "partner": refund.partner,
        "request_id": refund.request_id,
        "request_hash": refund.request_hash,
        "purchase_id": refund.purchase_id,
        "occurred_at": refund.occurred_at,
        "created_at": refund.created_at,
        "amounts": [[line_no, amount] for line_no, amount in refund.amounts.items()],
        "parts": refund.parts,
        "points": refund.points,
        "remaining": refund.remaining,
        "recovered": 0,
        "written_off": 0,
        "standing": refund.standing,
    }
    written = insert(REFUNDS).values(values).on_conflict_do_nothing().returning(REFUNDS.c.refund_id)
    added = connection.execute(written).one_or_none() is not None
    if added:
        _move(connection, refund.purchase_id, refund.points)
    return added


def mark_posted(connection: Connection, refund: Refund) -> None:
    """Write down what the ledger made of it."""
    entry = refund.entry or Entry(0, 0)
    values = {
        "standing": Standing.POSTED,
        "entry_bucket": entry.bucket,
        "entry_seq": entry.seq,
        "recovered": refund.recovered,
        "written_off": refund.written_off,
    }
    pending = REFUNDS.c.standing == Standing.RATED
    connection.execute(update(REFUNDS).where(REFUNDS.c.refund_id == refund.refund_id, pending).values(values))


def take_out(connection: Connection, refund: Refund) -> None:
    """Forget what the ledger refused. It is the last one of its purchase, for they follow each other."""
    refused = delete(REFUNDS).where(REFUNDS.c.refund_id == refund.refund_id, REFUNDS.c.standing == Standing.RATED)
    if connection.execute(refused.returning(REFUNDS.c.refund_id)).one_or_none():
        _move(connection, refund.purchase_id, -refund.points)


def of_purchase(connection: Connection, purchase_id: UUID) -> list[Refund]:
    """The refunds of one purchase, in no order."""
    rows = connection.execute(select(REFUNDS).where(REFUNDS.c.purchase_id == purchase_id))
    return [_refund(row) for row in rows]


def find(connection: Connection, refund_id: UUID) -> Refund | None:
    """One refund."""
    row = connection.execute(select(REFUNDS).where(REFUNDS.c.refund_id == refund_id)).one_or_none()
    return _refund(row) if row else None


def unposted(connection: Connection, most: int) -> list[Refund]:
    """The oldest refunds that the ledger may not have yet."""
    query = select(REFUNDS).where(REFUNDS.c.standing == Standing.RATED)
    return [_refund(row) for row in connection.execute(query.order_by(REFUNDS.c.created_at).limit(most))]


def _move(connection: Connection, purchase_id: UUID, points: int) -> None:
    total = PURCHASES.c.clawed_back + points
    connection.execute(update(PURCHASES).where(PURCHASES.c.purchase_id == purchase_id).values(clawed_back=total))


def _refund(row: Row[Any]) -> Refund:
    return Refund(
        refund_id=row.refund_id,
        partner=row.partner,
        request_id=row.request_id,
        request_hash=row.request_hash,
        purchase_id=row.purchase_id,
        occurred_at=row.occurred_at,
        created_at=row.created_at,
        amounts=dict(row.amounts),
        parts=row.parts,
        points=row.points,
        remaining=row.remaining,
        standing=Standing(row.standing),
        entry=None if row.entry_seq is None else Entry(row.entry_bucket, row.entry_seq),
        recovered=row.recovered,
        written_off=row.written_off,
    )
