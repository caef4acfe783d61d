"""Rows to nouns: what the ledger's tables say, in the domain's words."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

from services.ledger.domain.entry import (
    PLAIN,
    Account,
    AccountKind,
    Balance,
    Counterpart,
    Entry,
    EntryKind,
    LotId,
    LotTerms,
    Origin,
    Place,
    Posting,
    ReceiptRef,
    Unit,
)
from services.ledger.domain.lots import Lot
from services.ledger.domain.refusals.journal import JournalCorrupt
from shared.canonical import canonical
from shared.instants import micros

Row: TypeAlias = Sequence[Any]  # a row as psycopg hands it over: typed by the statement, not by Python

_ENTRY_KINDS = {kind.value: kind for kind in EntryKind}
_ACCOUNTS = {kind.value: kind for kind in AccountKind}
_UNITS = {unit.value: unit for unit in Unit}


def posting_of(row: Row) -> Posting:
    """A row of POSTING_COLUMNS. Raises JournalCorrupt for one that cannot have been written by us."""
    (
        bucket,
        seq,
        debit,
        debit_party,
        credit,
        credit_party,
        unit,
        points,
        lot_seq,
        lot_line,
        issuer,
        expires_on,
        for_seq,
        for_line,
        *terms,
    ) = row
    try:
        return Posting(
            Account(_ACCOUNTS[debit], debit_party),
            Account(_ACCOUNTS[credit], credit_party),
            points,
            LotId(lot_seq, lot_line),
            issuer,
            expires_on,
            _UNITS[unit],
            None if for_seq is None else LotId(for_seq, for_line),
            _terms_of(terms),
        )
    except (KeyError, ValueError) as error:
        raise JournalCorrupt(entry=Place(bucket, seq), detail=f"one of its postings is none: {error}") from None


def _terms_of(row: Row) -> LotTerms:
    earned_at, available_from, idle_days, campaign, bucket, seq, line = row
    terms = LotTerms(
        _micros_or_none(earned_at),
        _micros_or_none(available_from),
        idle_days,
        campaign or "",
        None if bucket is None else Origin(bucket, seq, line),
    )
    return PLAIN if terms == PLAIN else terms


def postings_by_place(rows: Iterable[Row]) -> dict[Place, list[Posting]]:
    """Rows of POSTING_COLUMNS in line order, by the entry they belong to."""
    postings: dict[Place, list[Posting]] = defaultdict(list)
    for row in rows:
        postings[Place(row[0], row[1])].append(posting_of(row))
    return postings


def entry_of(row: Row, postings: Iterable[Posting]) -> Entry:
    """A row of ENTRY_COLUMNS. Raises JournalCorrupt for one that cannot have been written by us."""
    (
        bucket,
        seq,
        kind,
        wallet,
        partner,
        request_id,
        request_hash,
        points,
        available,
        pending,
        held,
        debt,
        occurred_at,
        posted_at,
        original,
        hold_until,
        store,
        terminal,
        business_date,
        receipt_no,
        hash_,
        unit,
        others,
        other_bucket,
        other_wallet,
        other_seq,
        reason,
        proposed_by,
        approved_by,
    ) = row
    if kind not in _ENTRY_KINDS or unit not in _UNITS or (business_date is None) != (receipt_no is None):
        raise JournalCorrupt(entry=Place(bucket, seq), detail="it is of no kind that we know, or has half a receipt")
    receipt = _receipt(store, terminal, business_date, receipt_no)
    return Entry(
        bucket=bucket,
        seq=seq,
        kind=_ENTRY_KINDS[kind],
        wallet=wallet,
        partner=partner,
        request_id=request_id,
        request_hash=request_hash,
        points=points,
        postings=tuple(postings),
        balance=Balance(available, pending, held, debt),
        occurred_at=micros(occurred_at),
        posted_at=micros(posted_at),
        original=original,
        hold_until=_micros_or_none(hold_until),
        receipt=receipt,
        store=None if receipt else store,
        terminal=None if receipt else terminal,
        unit=_UNITS[unit],
        others=_others(others, Place(bucket, seq)) if others else (),
        counterpart=None if other_bucket is None else Counterpart(other_bucket, other_wallet, other_seq),
        reason=reason,
        proposed_by=proposed_by,
        approved_by=approved_by,
        hash=hash_,
    )


def others_text(others: Iterable[tuple[Unit, Balance]]) -> str | None:
    """The balances of an entry's other units as text; None when it has no others."""
    forms = {unit.name: balance._asdict() for unit, balance in others}
    return canonical(forms).decode() if forms else None


def _others(text: str, place: Place) -> tuple[tuple[Unit, Balance], ...]:
    try:
        return tuple(sorted((Unit[name], Balance(**form)) for name, form in json.loads(text).items()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JournalCorrupt(entry=place, detail=f"its other balances are none: {error}") from None


def entries_of(entry_rows: Iterable[Row], posting_rows: Iterable[Row]) -> list[Entry]:
    """Entries in the order of their rows, each with its postings."""
    postings = postings_by_place(posting_rows)
    return [entry_of(row, postings.get(Place(row[0], row[1]), ())) for row in entry_rows]


def lot_of(row: Row) -> Lot:
    """A row of LOT_COLUMNS, without the bucket and the wallet that begin it."""
    (
        seq,
        line,
        unit,
        issuer,
        earned_at,
        expires_on,
        awarded,
        available,
        pending,
        held,
        undone,
        owed,
        available_from,
        idle_days,
        campaign,
        origin_bucket,
        origin_seq,
        origin_line,
    ) = row
    return Lot(
        LotId(seq, line),
        issuer,
        micros(earned_at),
        expires_on,
        awarded,
        available,
        pending,
        held,
        undone,
        _UNITS[unit],
        owed,
        _micros_or_none(available_from),
        idle_days,
        campaign or "",
        None if origin_bucket is None else Origin(origin_bucket, origin_seq, origin_line),
    )


def _receipt(
    store: str | None, terminal: str | None, business_date: date | None, receipt_no: str | None
) -> ReceiptRef | None:
    if business_date is None or receipt_no is None:
        return None
    return ReceiptRef(store or "", terminal or "", business_date, receipt_no)


def _micros_or_none(when: datetime | None) -> int | None:
    return None if when is None else micros(when)
