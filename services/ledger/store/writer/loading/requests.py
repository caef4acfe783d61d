"""Requests and receipts that were used before."""

from __future__ import annotations

from collections.abc import Iterator

from services.ledger.domain.entry import Place, ReceiptRef
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.loading.reading import Reading
from services.ledger.store.writer.working_set import receipt_columns, request_columns


def requests(reading: Reading, questions: Asking) -> Iterator[None]:
    """Where the entries stand that requests became."""
    asked = reading.agenda.requests.taken()
    if not asked:
        return
    cursor = questions.ask(sql.REQUESTS_KNOWN, request_columns(asked, reading.bucket_count))
    yield
    for bucket, _wallet, _id, seq in cursor.fetchall():
        reading.agenda.repeats.add(Place(bucket, seq))


def receipts(reading: Reading, questions: Asking) -> Iterator[None]:
    """The entries that receipts were awarded by."""
    asked = reading.agenda.receipts.taken()
    if not asked:
        return
    cursor = questions.ask(sql.RECEIPTS_KNOWN, receipt_columns(asked, reading.bucket_count))
    yield
    for partner, day, store, terminal, number, bucket, seq in cursor.fetchall():
        reading.found.receipts[partner, ReceiptRef(store, terminal, day, number)] = Place(bucket, seq)
