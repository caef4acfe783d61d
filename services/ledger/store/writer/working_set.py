"""What a batch of wishes needs to know, read under the lock of its buckets' heads: a handful of set-based reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID
from zlib import crc32

import psycopg

from services.ledger.domain.apply import Head
from services.ledger.domain.entry import AccountKind, Balance, Entry, EntryKind, LotId, Place, ReceiptRef
from services.ledger.domain.wallet import Hold, HoldState, Redemption, Wallet, takes_from
from services.ledger.domain.wish import (
    AwardWish,
    EntryWish,
    HoldWish,
    Moment,
    RedeemWish,
    ReverseWish,
    TendWish,
    WalletWish,
    Wish,
)
from services.ledger.store.rows import Row, entries_of, lot_of
from services.ledger.store.writer import statements as sql
from shared.db.columns import Days, Int4s, Int8s, Texts, Uuids
from shared.instants import instant, micros

WalletKey = tuple[int, UUID]
RequestKey = tuple[int, UUID, UUID]
ReceiptKey = tuple[str, ReceiptRef]


def receipt_bucket(key: ReceiptKey, bucket_count: int) -> int:
    """The bucket of a receipt's claim: the same for everybody who sends that receipt, whatever the wallet."""
    partner, (store, terminal, day, number) = key
    return crc32("\x1f".join((partner, day.isoformat(), store, terminal, number)).encode()) % bucket_count


@dataclass(slots=True)
class WorkingSet:
    """Heads, wallets as far as the batch needs them, and what is known of its requests and receipts."""

    heads: dict[int, Head] = field(default_factory=dict)
    wallets: dict[WalletKey, Wallet] = field(default_factory=dict)
    originals: dict[Place, Entry] = field(default_factory=dict)
    requests: dict[RequestKey, tuple[bytes, Entry]] = field(default_factory=dict)
    receipts: dict[ReceiptKey, Place] = field(default_factory=dict)

    def wallet_key(self, wish: Wish) -> WalletKey | None:
        """The wallet a wish is about, None when the entry it names does not exist."""
        if isinstance(wish, WalletWish):
            return (wish.bucket, wish.wallet)
        if isinstance(wish, EntryWish) and (original := self.originals.get(wish.place)):
            return (wish.bucket, original.wallet)
        return None


def load(
    cursor: psycopg.Cursor[Row], wishes: Sequence[Wish], now: Moment, bucket_count: int, *, probe_receipts: bool
) -> WorkingSet:
    """Lock the heads, then read. Everything read is stable until the transaction ends: its bucket is locked."""
    found = WorkingSet()
    buckets = sorted({wish.bucket for wish in wishes})
    cursor.execute(sql.LOCK_HEADS, [Int4s(buckets)])
    found.heads = {bucket: Head(bucket, seq, hash_) for bucket, seq, hash_ in cursor}
    _load_originals(cursor, wishes, found)
    _load_requests(cursor, wishes, found)
    if probe_receipts:
        _load_receipts(cursor, wishes, found, bucket_count)
    _load_wallets(cursor, wishes, found)
    _load_lots_and_holds(cursor, wishes, found, now)
    return found


def entries_at(cursor: psycopg.Cursor[Row], places: Iterable[Place]) -> dict[Place, Entry]:
    """The entries at these places, those that exist."""
    places = list(places)
    if not places:
        return {}
    columns = _places(places)
    rows = cursor.execute(sql.ENTRIES_AT, columns).fetchall()
    postings = cursor.execute(sql.POSTINGS_AT, columns).fetchall()
    return {entry.place: entry for entry in entries_of(rows, postings)}


def _load_originals(cursor: psycopg.Cursor[Row], wishes: Sequence[Wish], found: WorkingSet) -> None:
    found.originals = entries_at(cursor, {wish.place for wish in wishes if isinstance(wish, EntryWish)})


def _load_requests(cursor: psycopg.Cursor[Row], wishes: Sequence[Wish], found: WorkingSet) -> None:
    asked = [(key, wish.request_id) for wish in wishes if (key := found.wallet_key(wish)) is not None]
    if not asked:
        return
    columns = [
        Int4s([bucket for (bucket, _), _ in asked]),
        Uuids([wallet for (_, wallet), _ in asked]),
        Uuids([request for _, request in asked]),
    ]
    rows = cursor.execute(sql.REQUESTS_KNOWN, columns).fetchall()
    entries = entries_at(cursor, {Place(bucket, seq) for bucket, _, _, _, seq in rows})
    for bucket, wallet, request, request_hash, seq in rows:
        found.requests[bucket, wallet, request] = (request_hash, entries[Place(bucket, seq)])


def _load_receipts(cursor: psycopg.Cursor[Row], wishes: Sequence[Wish], found: WorkingSet, bucket_count: int) -> None:
    keys = sorted({(w.partner, w.receipt) for w in wishes if isinstance(w, AwardWish) and w.receipt is not None})
    cursor.execute(sql.RECEIPTS_KNOWN, receipt_columns(keys, bucket_count))
    for partner, day, store, terminal, number, bucket, seq in cursor:
        found.receipts[partner, ReceiptRef(store, terminal, day, number)] = Place(bucket, seq)


def receipt_columns(keys: Sequence[ReceiptKey], bucket_count: int) -> list[Int4s | Texts | Days]:
    """The key of `ledger.receipts`, in column order."""
    return [
        Int4s([receipt_bucket(key, bucket_count) for key in keys]),
        Texts([partner for partner, _ in keys]),
        Days([receipt.business_date for _, receipt in keys]),
        Texts([receipt.store for _, receipt in keys]),
        Texts([receipt.terminal for _, receipt in keys]),
        Texts([receipt.receipt_no for _, receipt in keys]),
    ]


def _load_wallets(cursor: psycopg.Cursor[Row], wishes: Sequence[Wish], found: WorkingSet) -> None:
    keys = {key for wish in wishes if (key := found.wallet_key(wish)) is not None}
    found.wallets = {(bucket, wallet): Wallet(bucket, wallet) for bucket, wallet in keys}
    for bucket, wallet, *balance in cursor.execute(sql.WALLETS, _wallets(keys)):
        found.wallets[bucket, wallet].balance = Balance(*balance)


def _load_lots_and_holds(cursor: psycopg.Cursor[Row], wishes: Sequence[Wish], found: WorkingSet, now: Moment) -> None:
    spending = {
        key
        for wish in wishes
        if isinstance(wish, HoldWish | RedeemWish | ReverseWish | TendWish) and (key := found.wallet_key(wish))
    }
    named = {wish.place for wish in wishes if isinstance(wish, EntryWish)} & found.originals.keys()
    if not spending and not named:
        return
    lots: set[tuple[int, int]] = set()
    if spending:
        for row in cursor.execute(sql.LOTS_TO_SPEND, _wallets(spending)).fetchall():
            lot = lot_of(row)
            found.wallets[row[0], row[1]].lots[lot.id] = lot
        due = cursor.execute(sql.HOLDS_DUE_OF_WALLETS, [*_wallets(spending), instant(now.at)]).fetchall()
        for place, entry in entries_at(cursor, {Place(row[0], row[2]) for row in due}).items():
            found.originals[place] = entry
            named.add(place)
    lots |= {(place.bucket, p.lot.seq) for place in named for p in found.originals[place].postings}
    lots |= {(place.bucket, place.seq) for place in named if found.originals[place].kind is EntryKind.AWARD}
    if lots:
        columns = [Int4s([bucket for bucket, _ in lots]), Int8s([seq for _, seq in lots])]
        for row in cursor.execute(sql.LOTS_OF_AWARDS, columns).fetchall():
            lot = lot_of(row)
            found.wallets[row[0], row[1]].lots[lot.id] = lot
    _load_holds(cursor, named, found)
    _load_redemptions(cursor, named, found)


def _load_holds(cursor: psycopg.Cursor[Row], named: set[Place], found: WorkingSet) -> None:
    places = [place for place in named if found.originals[place].kind is EntryKind.HOLD]
    if not places:
        return
    for bucket, wallet, seq, partner, points, captured, state, expires_at in cursor.execute(
        sql.HOLDS_AT, _places(places)
    ):
        pins = takes_from(found.originals[Place(bucket, seq)].postings, AccountKind.HELD)
        found.wallets[bucket, wallet].holds[seq] = Hold(
            seq, partner, points, micros(expires_at), pins, HoldState(state), captured
        )


def _load_redemptions(cursor: psycopg.Cursor[Row], named: set[Place], found: WorkingSet) -> None:
    spent = (EntryKind.REDEMPTION, EntryKind.CAPTURE)
    places = [place for place in named if found.originals[place].kind in spent]
    if not places:
        return
    for bucket, wallet, seq, partner, points, refunded in cursor.execute(sql.REDEMPTIONS_AT, _places(places)):
        takes = takes_from(found.originals[Place(bucket, seq)].postings, AccountKind.REDEEMED)
        found.wallets[bucket, wallet].redemptions[seq] = Redemption(seq, partner, points, takes, refunded)


def _places(places: Iterable[Place]) -> list[Int4s | Int8s]:
    places = list(places)
    return [Int4s([place.bucket for place in places]), Int8s([place.seq for place in places])]


def _wallets(keys: Iterable[WalletKey]) -> list[Int4s | Uuids]:
    keys = list(keys)
    return [Int4s([bucket for bucket, _ in keys]), Uuids([wallet for _, wallet in keys])]


def lots_touched(entry: Entry, wallet: Wallet) -> set[LotId]:
    """The lots that an entry changed: those of its postings, and those of an award it undid."""
    touched = {posting.lot for posting in entry.postings}
    if entry.kind is EntryKind.REVERSAL:
        touched |= {lot.id for lot in wallet.award_lots(entry.original or 0)}
    return touched
