"""Entries, their requests, the claims of their receipts, and their postings."""

from __future__ import annotations

from collections.abc import Sequence

from services.ledger.domain.entry import PLAIN, Entry, EntryKind, Posting, Unit
from services.ledger.store.rows import others_text
from services.ledger.store.writer import writes as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.working_set import receipt_bucket
from shared.db.columns import Bools, Column, Days, Hashes, Instants, Int2s, Int4s, Int8s, Names, Texts, Uuids


class Places:
    """Columns that entries share with postings, when each entry has one."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.bucket = Int4s([entry.bucket for entry in entries])
        self.seq = Int8s([entry.seq for entry in entries])
        self.posted_at = Instants([entry.posted_at for entry in entries])


def save_entries(saving: Asking, entries: Sequence[Entry], places: Places, bucket_count: int) -> None:
    balances = [entry.balance for entry in entries]
    receipts = [entry.receipt for entry in entries]
    claims = [
        receipt_bucket((entry.partner, entry.receipt), bucket_count)
        if entry.receipt is not None and entry.kind is EntryKind.AWARD
        else None
        for entry in entries
    ]
    columns: list[Column] = [
        Bools([entry.is_asked_for for entry in entries]),
        Int4s(claims),
        places.bucket,
        places.seq,
        Int2s([entry.kind for entry in entries]),
        Uuids([entry.wallet for entry in entries]),
        Names([entry.partner for entry in entries]),
        Uuids([entry.request_id for entry in entries]),
        Hashes([entry.request_hash for entry in entries]),
        Int8s([entry.points for entry in entries]),
        Int8s([balance[0] for balance in balances]),
        Int8s([balance[1] for balance in balances]),
        Int8s([balance[2] for balance in balances]),
        Int8s([balance[3] for balance in balances]),
        Instants([entry.occurred_at for entry in entries]),
        places.posted_at,
        Int8s([entry.original for entry in entries]),
        Instants([entry.hold_until for entry in entries]),
        Names([receipt[0] if receipt else entry.store for entry, receipt in zip(entries, receipts, strict=True)]),
        Names([receipt[1] if receipt else entry.terminal for entry, receipt in zip(entries, receipts, strict=True)]),
        Days([receipt[2] if receipt else None for receipt in receipts]),
        Texts([receipt[3] if receipt else None for receipt in receipts]),
        Hashes([entry.hash for entry in entries]),
    ]
    if any(_is_rare(entry) for entry in entries):
        saving.ask(sql.INSERT_RARE_ENTRIES, [*columns, *_rare_in_entries(entries)])
    else:
        saving.ask(sql.INSERT_ENTRIES, columns)


def _is_rare(entry: Entry) -> bool:
    return bool(
        entry.unit is not Unit.POINTS
        or entry.others
        or entry.counterpart
        or entry.reason is not None
        or entry.approved_by is not None
    )


def _rare_in_entries(entries: Sequence[Entry]) -> list[Column]:
    others = [entry.counterpart for entry in entries]
    return [
        Int2s([entry.unit for entry in entries]),
        Texts([others_text(entry.others) for entry in entries]),
        Int4s([other.bucket if other else None for other in others]),
        Uuids([other.wallet if other else None for other in others]),
        Int8s([other.seq if other else None for other in others]),
        Texts([entry.reason for entry in entries]),
        Texts([entry.proposed_by for entry in entries]),
        Texts([entry.approved_by for entry in entries]),
    ]


def save_postings(saving: Asking, entries: Sequence[Entry], places: Places) -> None:
    postings = [posting for entry in entries for posting in entry.postings]
    if not postings:
        return
    lines = [line for entry in entries for line in range(len(entry.postings))]
    if len(postings) != len(entries) or any(lines):
        places = Places([entry for entry in entries for _ in entry.postings])
    columns: list[Column] = [
        places.bucket,
        places.seq,
        Int2s(lines),
        places.posted_at,
        Int2s([posting.debit[0] for posting in postings]),
        Names([posting.debit[1] for posting in postings]),
        Int2s([posting.credit[0] for posting in postings]),
        Names([posting.credit[1] for posting in postings]),
        Int2s([posting.unit for posting in postings]),
        Int8s([posting.points for posting in postings]),
        Int8s([posting.lot[0] for posting in postings]),
        Int2s([posting.lot[1] for posting in postings]),
        Names([posting.issuer for posting in postings]),
        Days([posting.expires_on for posting in postings]),
    ]
    if any(posting.terms is not PLAIN or posting.for_lot is not None for posting in postings):
        saving.ask(sql.INSERT_RARE_POSTINGS, [*columns, *_rare_in_postings(postings)])
    else:
        saving.ask(sql.INSERT_POSTINGS, columns)


def _rare_in_postings(postings: Sequence[Posting]) -> list[Column]:
    terms = [posting.terms for posting in postings]
    return [
        Int8s([posting.for_lot.seq if posting.for_lot else None for posting in postings]),
        Int2s([posting.for_lot.line if posting.for_lot else None for posting in postings]),
        Instants([term.earned_at for term in terms]),
        Instants([term.available_from for term in terms]),
        Int4s([term.idle_days for term in terms]),
        Names([term.campaign or None for term in terms]),
        Int4s([term.origin.bucket if term.origin else None for term in terms]),
        Int8s([term.origin.seq if term.origin else None for term in terms]),
        Int2s([term.origin.line if term.origin else None for term in terms]),
    ]
