"""Purchases: written in sets, one statement for a whole batch."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Uuid, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from services.catalogue.domain.purchase import Entry, Purchase, Standing
from services.catalogue.domain.receipt import Line, Receipt
from services.catalogue.store.tables import PURCHASES, REFUNDS

_COLUMNS = """
    purchase_id uuid, partner text, request_id uuid, request_hash bytea, wallet_id uuid, segments text[],
    business_date date, store text, terminal text, receipt_no text, lines jsonb, occurred_at timestamptz,
    created_at timestamptz, rules_version int, points bigint, parts jsonb, standing smallint, entry_bucket int,
    entry_seq bigint
"""
_NAMES = ", ".join(column.split()[0] for column in _COLUMNS.split(","))
# One parameter for all rows, whose lists have different lengths: no array of arrays could carry them.
_INSERT = text(
    f"INSERT INTO catalogue.purchases ({_NAMES}) "
    f"SELECT {_NAMES} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new({_COLUMNS}) "
    "ON CONFLICT DO NOTHING RETURNING purchase_id"
)
_POSTED = text(
    "UPDATE catalogue.purchases AS old SET standing = 2, entry_bucket = new.bucket, entry_seq = new.seq "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:buckets AS int[]), CAST(:seqs AS bigint[])) AS new(id, bucket, seq) "
    "WHERE old.purchase_id = new.id AND old.standing = 1 RETURNING old.purchase_id"
)
_OF_RECEIPTS = text(
    "SELECT old.purchase_id, old.store, old.terminal, old.business_date, old.receipt_no "
    "FROM unnest(CAST(:stores AS text[]), CAST(:terminals AS text[]), CAST(:days AS date[]), CAST(:numbers AS text[])) "
    "AS asked(store, terminal, business_date, receipt_no) "
    "JOIN catalogue.purchases AS old USING (business_date, store, terminal, receipt_no) WHERE old.partner = :partner"
)
_AMONG = PURCHASES.c.purchase_id == func.any(bindparam("ids", type_=ARRAY(Uuid)))

ReceiptKey = tuple[str, str, str, str]
"""Store, terminal, business date, number: what makes a receipt of one partner that receipt."""


@dataclass(frozen=True, slots=True)
class PartnerCounts:
    """Counts of one partner; `awarded` are the points that the ledger has, before returns."""

    partner: str
    purchases: int
    rated_only: int
    awarded: int
    refunds: int


def receipt_key(receipt: Receipt) -> ReceiptKey:
    """The key of a receipt within its partner."""
    return receipt.store, receipt.terminal, receipt.business_date.isoformat(), receipt.receipt_no


def add(connection: Connection, purchases: Iterable[Purchase]) -> set[UUID]:
    """Write those whose request and receipt are new, in the order given; answers which ones."""
    rows = json.dumps([_json(purchase) for purchase in purchases], separators=(",", ":"), ensure_ascii=False)
    return set(connection.execute(_INSERT, {"rows": rows}).scalars())


def mark_posted(connection: Connection, purchases: Sequence[Purchase]) -> None:
    """Write down where the ledger put them.

    One that is gone was taken out by a twin of the same request to whom the ledger, a moment earlier, had said no:
    the ledger has it now, so it comes back.
    """
    if not purchases:
        return
    purchases = sorted(purchases, key=lambda purchase: purchase.purchase_id)  # two at the same work lock alike
    entries = [purchase.entry or Entry(0, 0) for purchase in purchases]
    marked = connection.execute(
        _POSTED,
        {
            "ids": [purchase.purchase_id for purchase in purchases],
            "buckets": [entry.bucket for entry in entries],
            "seqs": [entry.seq for entry in entries],
        },
    )
    known = set(marked.scalars())
    missing = [purchase for purchase in purchases if purchase.purchase_id not in known]
    if missing:
        add(connection, missing)


def take_out(connection: Connection, ids: Collection[UUID]) -> None:
    """Forget what the ledger refused. What it has taken stays."""
    if ids:
        refused = delete(PURCHASES).where(_AMONG, PURCHASES.c.standing == Standing.RATED)
        connection.execute(refused, {"ids": list(ids)})


def of_ids(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Purchase]:
    """The purchases with these ids, whoever they belong to."""
    rows = connection.execute(select(PURCHASES).where(_AMONG), {"ids": list(ids)})
    return {row.purchase_id: _purchase(row) for row in rows}


def of_receipts(connection: Connection, partner: str, receipts: Collection[Receipt]) -> dict[ReceiptKey, UUID]:
    """Which of a partner's receipts were recorded, and as what."""
    rows = connection.execute(
        _OF_RECEIPTS,
        {
            "partner": partner,
            "stores": [receipt.store for receipt in receipts],
            "terminals": [receipt.terminal for receipt in receipts],
            "days": [receipt.business_date for receipt in receipts],
            "numbers": [receipt.receipt_no for receipt in receipts],
        },
    )
    return {(row.store, row.terminal, row.business_date.isoformat(), row.receipt_no): row.purchase_id for row in rows}


def find(connection: Connection, partner: str, purchase_id: UUID, *, lock: bool = False) -> Purchase | None:
    """One purchase of a partner; locked until the transaction ends, where asked."""
    query = select(PURCHASES).where(PURCHASES.c.purchase_id == purchase_id, PURCHASES.c.partner == partner)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _purchase(row) if row else None


def unposted(connection: Connection, most: int) -> list[UUID]:
    """The oldest purchases that the ledger may not have yet."""
    query = select(PURCHASES.c.purchase_id).where(PURCHASES.c.standing == Standing.RATED)
    ordered = query.order_by(PURCHASES.c.created_at, PURCHASES.c.purchase_id).limit(most)
    return list(connection.execute(ordered).scalars())


def counts(connection: Connection) -> list[PartnerCounts]:
    """How many there are of each partner, by partner."""
    rated = PURCHASES.c.standing == Standing.RATED
    awarded = func.coalesce(func.sum(PURCHASES.c.points).filter(PURCHASES.c.standing == Standing.POSTED), 0)
    refunds = select(REFUNDS.c.partner, func.count().label("refunds")).group_by(REFUNDS.c.partner).subquery()
    purchases = (
        select(
            PURCHASES.c.partner,
            func.count().label("purchases"),
            func.count().filter(rated).label("rated_only"),
            awarded.label("awarded"),
        )
        .group_by(PURCHASES.c.partner)
        .subquery()
    )
    query = select(purchases, func.coalesce(refunds.c.refunds, 0).label("refunds")).outerjoin_from(
        purchases, refunds, purchases.c.partner == refunds.c.partner
    )
    return [
        PartnerCounts(row.partner, row.purchases, row.rated_only, int(row.awarded), row.refunds)
        for row in connection.execute(query.order_by(purchases.c.partner))
    ]


def _json(purchase: Purchase) -> dict[str, object]:
    receipt = purchase.receipt
    return {
        "purchase_id": str(purchase.purchase_id),
        "partner": purchase.partner,
        "request_id": str(purchase.request_id),
        "request_hash": f"\\x{purchase.request_hash.hex()}",
        "wallet_id": str(purchase.wallet_id),
        "segments": purchase.segments,
        "business_date": receipt.business_date.isoformat(),
        "store": receipt.store,
        "terminal": receipt.terminal,
        "receipt_no": receipt.receipt_no,
        "lines": [(line.line_no, line.product, line.category, line.amount) for line in receipt.lines],
        "occurred_at": receipt.occurred_at.isoformat(),
        "created_at": purchase.created_at.isoformat(),
        "rules_version": purchase.rules_version,
        "points": purchase.points,
        "parts": purchase.parts,
        "standing": purchase.standing,
        "entry_bucket": purchase.entry.bucket if purchase.entry else None,
        "entry_seq": purchase.entry.seq if purchase.entry else None,
    }


def _purchase(row: Row[Any]) -> Purchase:
    receipt = Receipt(
        store=row.store,
        terminal=row.terminal,
        business_date=row.business_date,
        receipt_no=row.receipt_no,
        occurred_at=row.occurred_at,
        lines=tuple(Line(*line) for line in row.lines),
    )
    return Purchase(
        purchase_id=row.purchase_id,
        partner=row.partner,
        request_id=row.request_id,
        request_hash=row.request_hash,
        wallet_id=row.wallet_id,
        segments=tuple(row.segments),
        receipt=receipt,
        created_at=row.created_at,
        rules_version=row.rules_version,
        points=row.points,
        parts=row.parts,
        standing=Standing(row.standing),
        entry=None if row.entry_seq is None else Entry(row.entry_bucket, row.entry_seq),
        clawed_back=row.clawed_back,
    )
