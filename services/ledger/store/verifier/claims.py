"""Receipts: each award that names one holds its claim, and no claim stands for nothing."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from services.ledger.domain.entry import Entry, EntryKind, Place
from services.ledger.store.rows import Row
from services.ledger.store.verifier.between import Between
from services.ledger.store.writer.working_set import ReceiptKey, receipt_columns
from shared.verifying import Differs, shown

_KEPT = """
SELECT r.partner, r.business_date, r.store, r.terminal, r.receipt_no, r.entry_bucket, r.entry_seq
FROM unnest(%b, %b, %b, %b, %b, %b) AS asked (bucket, partner, business_date, store, terminal, receipt_no)
JOIN ledger.receipts r
    ON r.bucket = asked.bucket AND r.partner = asked.partner AND r.business_date = asked.business_date
    AND r.store = asked.store AND r.terminal = asked.terminal AND r.receipt_no = asked.receipt_no
"""
_STRAY = """
SELECT r.entry_bucket, r.entry_seq, r.partner, r.business_date, r.store, r.terminal, r.receipt_no
FROM ledger.receipts r
LEFT JOIN ledger.entries e
    ON e.bucket = r.entry_bucket AND e.seq = r.entry_seq AND e.kind = 1
    AND e.partner = r.partner AND e.business_date = r.business_date AND e.receipt_no = r.receipt_no
    AND coalesce(e.store, '') = r.store AND coalesce(e.terminal, '') = r.terminal
WHERE r.bucket = %s AND e.seq IS NULL
LIMIT 1
"""
_COUNT = "SELECT count(*) FROM ledger.receipts"


def compare_claims(cursor: psycopg.Cursor[Row], entries: Sequence[Entry], bucket_count: int) -> int:
    """The claims of these awards stand where everybody looks for them. Answers how many there are."""
    due: dict[ReceiptKey, Place] = {
        (entry.partner, entry.receipt): entry.place
        for entry in entries
        if entry.kind is EntryKind.AWARD and entry.receipt is not None
    }
    if not due:
        return 0
    held = {
        (partner, (store, terminal, day, number)): Place(bucket, seq)
        for partner, day, store, terminal, number, bucket, seq in cursor.execute(
            _KEPT, receipt_columns(list(due), bucket_count)
        )
    }
    for key, place in due.items():
        found = held.get(key)
        if found != place:
            claimed = f"it is claimed for {found}" if found else "it has no claim"
            raise Differs("receipt", str(place), f"receipt {shown((key[0], *key[1]))}: {claimed}")
    return len(due)


def compare_strays(cursor: psycopg.Cursor[Row], bucket: int) -> None:
    """Every claim that is kept in this bucket names an award with that very receipt."""
    if row := cursor.execute(_STRAY, [bucket]).fetchone():
        detail = f"it claims receipt {shown(row[2:])}, and no award there names it"
        raise Between("receipt", str(Place(row[0], row[1])), detail, row[0])


def count_claims(cursor: psycopg.Cursor[Row], awarded: int) -> None:
    """A claim that is kept where nobody looks for it has a twin where it belongs: only their number betrays it."""
    (held,) = cursor.execute(_COUNT).fetchone() or (0,)
    if held != awarded:
        raise Differs("receipt", "all", f"{awarded} awards name a receipt, {held} claims are kept")
