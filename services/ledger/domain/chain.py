"""The canonical form of an entry and the hash chain of a bucket.

The form is the contract's (`JournalEntry.canonical`, version 1): anybody can check a chain with a JSON parser and
SHA-256. Keys are written in sorted order, so that nothing has to be sorted here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256

from services.ledger.domain.entry import Balance, Entry, Posting

START = bytes(32)
"""The hash before the first entry of a bucket."""

_dumps: Callable[[object], str] = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def canonical(entry: Entry) -> bytes:
    """The bytes that are hashed."""
    form: dict[str, object] = {
        "balance": _balance(entry.balance),
        "bucket": entry.bucket,
    }
    if entry.hold_until is not None:
        form["hold_until"] = entry.hold_until
    form["kind"] = entry.kind.name
    form["occurred_at"] = entry.occurred_at
    if entry.original is not None:
        form["original"] = entry.original
    form["partner"] = entry.partner
    form["points"] = entry.points
    form["posted_at"] = entry.posted_at
    form["postings"] = [_posting(posting) for posting in entry.postings]
    if entry.receipt is not None:
        form["receipt"] = {
            "business_date": entry.receipt.business_date.isoformat(),
            "receipt_no": entry.receipt.receipt_no,
            "store": entry.receipt.store,
            "terminal": entry.receipt.terminal,
        }
    form["request_hash"] = entry.request_hash.hex()
    form["request_id"] = str(entry.request_id)
    form["seq"] = entry.seq
    if entry.store:
        form["store"] = entry.store
    if entry.terminal:
        form["terminal"] = entry.terminal
    form["v"] = 1
    form["wallet"] = str(entry.wallet)
    return _dumps(form).encode()


def chained(previous: bytes, body: bytes) -> bytes:
    """The hash of an entry whose canonical form is `body`, after the entry whose hash is `previous`."""
    return sha256(previous + body).digest()


def _balance(balance: Balance) -> dict[str, int]:
    return {
        "available": balance.available,
        "debt": balance.debt,
        "held": balance.held,
        "pending": balance.pending,
    }


def _posting(posting: Posting) -> dict[str, object]:
    form: dict[str, object] = {"credit": str(posting.credit), "debit": str(posting.debit)}
    if posting.expires_on is not None:
        form["expires_on"] = posting.expires_on.isoformat()
    form["issuer"] = posting.issuer
    form["lot"] = str(posting.lot)
    form["points"] = posting.points
    form["unit"] = posting.unit.name
    return form
