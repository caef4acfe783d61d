"""Write what a batch changed: new entries with their postings, and the projections they moved."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from services.ledger.domain.entry import Entry, EntryKind, LotId, ReceiptRef
from services.ledger.store.rows import Row
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.working_set import ReceiptKey, WorkingSet, lots_touched, receipt_columns
from shared.db.columns import Blobs, Column, Days, Instants, Int2s, Int4s, Int8s, Texts, Uuids


def save(connection: psycopg.Connection[Row], entries: Sequence[Entry], found: WorkingSet, bucket_count: int) -> bool:
    """Send every change in one go. False when a receipt was claimed meanwhile: then roll back and look before."""
    claims = {
        (entry.partner, entry.receipt): entry
        for entry in entries
        if entry.kind is EntryKind.AWARD and entry.receipt is not None
    }
    with connection.pipeline(), connection.cursor() as cursor, connection.cursor() as claiming:
        if claims:
            claiming.execute(sql.INSERT_RECEIPTS, _claims(claims, bucket_count))
        cursor.execute(sql.INSERT_ENTRIES, _entries(entries))
        cursor.execute(sql.INSERT_POSTINGS, _postings(entries))
        if asked := [entry for entry in entries if entry.is_asked_for]:
            cursor.execute(sql.INSERT_REQUESTS, _requests(asked))
        cursor.execute(sql.UPSERT_WALLETS, _wallets(entries, found))
        cursor.execute(sql.UPSERT_LOTS, _lots(entries, found))
        if holds := _holds(entries, found):
            cursor.execute(sql.UPSERT_HOLDS, holds)
        if redemptions := _redemptions(entries, found):
            cursor.execute(sql.UPSERT_REDEMPTIONS, redemptions)
        moved = {entry.bucket: found.heads[entry.bucket] for entry in entries}.values()
        heads = [Int4s([h.bucket for h in moved]), Int8s([h.seq for h in moved]), Blobs([h.hash for h in moved])]
        cursor.execute(sql.UPDATE_HEADS, heads)
    return not claims or claiming.rowcount == len(claims)


def _claims(claims: dict[tuple[str, ReceiptRef], Entry], bucket_count: int) -> list[Column]:
    """In one order for everybody, so that two batches never wait for each other crosswise."""
    keys: list[ReceiptKey] = sorted(claims)
    places = [claims[key].place for key in keys]
    return [
        *receipt_columns(keys, bucket_count),
        Int4s([place.bucket for place in places]),
        Int8s([place.seq for place in places]),
    ]


def _entries(entries: Sequence[Entry]) -> list[Column]:
    receipts = [entry.receipt for entry in entries]
    return [
        Int4s([e.bucket for e in entries]),
        Int8s([e.seq for e in entries]),
        Int2s([e.kind for e in entries]),
        Uuids([e.wallet for e in entries]),
        Texts([e.partner for e in entries]),
        Uuids([e.request_id for e in entries]),
        Blobs([e.request_hash for e in entries]),
        Int8s([e.points for e in entries]),
        Int8s([e.balance.available for e in entries]),
        Int8s([e.balance.pending for e in entries]),
        Int8s([e.balance.held for e in entries]),
        Int8s([e.balance.debt for e in entries]),
        Instants([e.occurred_at for e in entries]),
        Instants([e.posted_at for e in entries]),
        Int8s([e.original for e in entries]),
        Instants([e.hold_until for e in entries]),
        Texts([e.receipt.store if e.receipt else e.store for e in entries]),
        Texts([e.receipt.terminal if e.receipt else e.terminal for e in entries]),
        Days([receipt.business_date if receipt else None for receipt in receipts]),
        Texts([receipt.receipt_no if receipt else None for receipt in receipts]),
        Blobs([e.hash for e in entries]),
    ]


def _postings(entries: Sequence[Entry]) -> list[Column]:
    rows = [(entry, line, posting) for entry in entries for line, posting in enumerate(entry.postings)]
    postings = [posting for _, _, posting in rows]
    return [
        Int4s([entry.bucket for entry, _, _ in rows]),
        Int8s([entry.seq for entry, _, _ in rows]),
        Int2s([line for _, line, _ in rows]),
        Int2s([p.debit.kind for p in postings]),
        Texts([p.debit.party for p in postings]),
        Int2s([p.credit.kind for p in postings]),
        Texts([p.credit.party for p in postings]),
        Int2s([p.unit for p in postings]),
        Int8s([p.points for p in postings]),
        Int8s([p.lot.seq for p in postings]),
        Int2s([p.lot.line for p in postings]),
        Texts([p.issuer for p in postings]),
        Days([p.expires_on for p in postings]),
    ]


def _requests(entries: Sequence[Entry]) -> list[Column]:
    return [
        Int4s([e.bucket for e in entries]),
        Uuids([e.wallet for e in entries]),
        Uuids([e.request_id for e in entries]),
        Blobs([e.request_hash for e in entries]),
        Int8s([e.seq for e in entries]),
    ]


def _wallets(entries: Sequence[Entry], found: WorkingSet) -> list[Column]:
    wallets = [found.wallets[key] for key in {(entry.bucket, entry.wallet) for entry in entries}]
    return [
        Int4s([w.bucket for w in wallets]),
        Uuids([w.id for w in wallets]),
        Int8s([w.balance.available for w in wallets]),
        Int8s([w.balance.pending for w in wallets]),
        Int8s([w.balance.held for w in wallets]),
        Int8s([w.balance.debt for w in wallets]),
    ]


def _lots(entries: Sequence[Entry], found: WorkingSet) -> list[Column]:
    touched: dict[tuple[int, LotId], Entry] = {}
    for entry in entries:
        wallet = found.wallets[entry.bucket, entry.wallet]
        touched |= {(entry.bucket, lot): entry for lot in lots_touched(entry, wallet)}
    rows = [(entry, found.wallets[entry.bucket, entry.wallet].lots[id_]) for (_, id_), entry in touched.items()]
    lots = [lot for _, lot in rows]
    return [
        Int4s([entry.bucket for entry, _ in rows]),
        Int8s([lot.id.seq for lot in lots]),
        Int2s([lot.id.line for lot in lots]),
        Uuids([entry.wallet for entry, _ in rows]),
        Texts([lot.issuer for lot in lots]),
        Instants([lot.earned_at for lot in lots]),
        Days([lot.expires_on for lot in lots]),
        Int8s([lot.awarded for lot in lots]),
        Int8s([lot.available for lot in lots]),
        Int8s([lot.pending for lot in lots]),
        Int8s([lot.held for lot in lots]),
        Int8s([lot.undone for lot in lots]),
    ]


def _holds(entries: Sequence[Entry], found: WorkingSet) -> list[Column]:
    touched = {}
    for entry in entries:
        seq = entry.seq if entry.kind is EntryKind.HOLD else entry.original
        if entry.kind in (EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE) and seq is not None:
            touched[entry.bucket, seq] = entry
    if not touched:
        return []
    rows = [(e, found.wallets[bucket, e.wallet].holds[seq]) for (bucket, seq), e in touched.items()]
    holds = [hold for _, hold in rows]
    return [
        Int4s([entry.bucket for entry, _ in rows]),
        Int8s([hold.seq for hold in holds]),
        Uuids([entry.wallet for entry, _ in rows]),
        Texts([hold.partner for hold in holds]),
        Int8s([hold.points for hold in holds]),
        Int8s([hold.captured for hold in holds]),
        Int2s([hold.state for hold in holds]),
        Instants([hold.expires_at for hold in holds]),
    ]


def _redemptions(entries: Sequence[Entry], found: WorkingSet) -> list[Column]:
    touched = {}
    for entry in entries:
        seq = entry.original if entry.kind is EntryKind.REFUND else entry.seq
        if entry.kind in (EntryKind.REDEMPTION, EntryKind.CAPTURE, EntryKind.REFUND) and seq is not None:
            touched[entry.bucket, seq] = entry
    if not touched:
        return []
    rows = [(e, found.wallets[bucket, e.wallet].redemptions[seq]) for (bucket, seq), e in touched.items()]
    redemptions = [redemption for _, redemption in rows]
    return [
        Int4s([entry.bucket for entry, _ in rows]),
        Int8s([redemption.seq for redemption in redemptions]),
        Uuids([entry.wallet for entry, _ in rows]),
        Texts([redemption.partner for redemption in redemptions]),
        Int8s([redemption.points for redemption in redemptions]),
        Int8s([redemption.refunded for redemption in redemptions]),
    ]
