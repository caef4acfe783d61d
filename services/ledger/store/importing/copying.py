"""Entries of imported lots as PostgreSQL's COPY wants them: text, a line for each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Final

import psycopg

from services.ledger.domain.entry import Entry
from services.ledger.store.rows import Row
from shared.instants import instant

_ENTRIES: Final = """
COPY ledger.entries (bucket, seq, kind, wallet_id, partner, request_id, request_hash, points, available, pending, held,
    debt, occurred_at, posted_at, hash, unit, reason) FROM STDIN
"""
_POSTINGS: Final = """
COPY ledger.postings (bucket, seq, line, posted_at, debit, debit_party, credit, credit_party, unit, points, lot_seq,
    lot_line, issuer, expires_on, idle_days, campaign) FROM STDIN
"""
_LOTS: Final = """
COPY ledger.lots (bucket, seq, line, wallet_id, unit, issuer, earned_at, expires_on, awarded, available, pending, held,
    undone, idle_days, campaign) FROM STDIN
"""
_REQUESTS: Final = """
COPY ledger.requests (bucket, wallet_id, request_id, request_hash, seq) FROM STDIN
"""

_SPECIAL = re.compile(r"[\\\t\n\r]")
_SPELLED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_entries(cursor: psycopg.Cursor[Row], entries: Sequence[Entry]) -> None:
    """Awards of one line each, with what they make."""
    _send(cursor, _ENTRIES, _entry, entries)
    _send(cursor, _POSTINGS, _posting, entries)
    _send(cursor, _LOTS, _lot, entries)
    _send(cursor, _REQUESTS, _request, entries)


def _send(
    cursor: psycopg.Cursor[Row], statement: str, line_of: Callable[[Entry], str], entries: Iterable[Entry]
) -> None:
    with cursor.copy(statement) as copy:
        copy.write("".join([line_of(entry) for entry in entries]))


def _entry(entry: Entry) -> str:
    balance = entry.balance
    return (
        f"{entry.bucket}\t{entry.seq}\t{entry.kind.value}\t{entry.wallet}\t{entry.partner}\t{entry.request_id}\t"
        f"\\\\x{entry.request_hash.hex()}\t{entry.points}\t{balance.available}\t{balance.pending}\t{balance.held}\t"
        f"{balance.debt}\t{instant(entry.occurred_at)}\t{instant(entry.posted_at)}\t\\\\x{entry.hash.hex()}\t"
        f"{entry.unit.value}\t{_text(entry.reason)}\n"
    )


def _posting(entry: Entry) -> str:
    (posting,) = entry.postings
    return (
        f"{entry.bucket}\t{entry.seq}\t0\t{instant(entry.posted_at)}\t{posting.debit.kind.value}\t"
        f"{posting.debit.party}\t{posting.credit.kind.value}\t{posting.credit.party}\t{posting.unit.value}\t"
        f"{posting.points}\t{posting.lot.seq}\t{posting.lot.line}\t{posting.issuer}\t{_day(posting.expires_on)}\t"
        f"{_number(posting.terms.idle_days)}\t{_text(posting.terms.campaign or None)}\n"
    )


def _lot(entry: Entry) -> str:
    (posting,) = entry.postings
    return (
        f"{entry.bucket}\t{entry.seq}\t0\t{entry.wallet}\t{posting.unit.value}\t{posting.issuer}\t"
        f"{instant(entry.occurred_at)}\t{_day(posting.expires_on)}\t{posting.points}\t{posting.points}\t0\t0\t0\t"
        f"{_number(posting.terms.idle_days)}\t{_text(posting.terms.campaign or None)}\n"
    )


def _request(entry: Entry) -> str:
    return f"{entry.bucket}\t{entry.wallet}\t{entry.request_id}\t\\\\x{entry.request_hash.hex()}\t{entry.seq}\n"


def _text(text: str | None) -> str:
    return "\\N" if text is None else _SPECIAL.sub(lambda found: _SPELLED[found[0]], text)


def _day(day: date | None) -> str:
    return "\\N" if day is None else day.isoformat()


def _number(number: int | None) -> str:
    return "\\N" if number is None else str(number)
