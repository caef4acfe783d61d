"""What a batch knows: heads, wallets as far as its wishes need them, and what became of its requests and receipts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID
from zlib import crc32

from services.ledger.domain.apply import Head, bucket_of
from services.ledger.domain.entry import Entry, Place, ReceiptRef, Unit
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import EntryWish, WalletWish, Wish
from shared.db.columns import Column, Days, Int4s, Int8s, Names, Texts, Uuids

WalletKey = int
"""The id of a wallet as a number: it is looked up many times for each wish, and a UUID takes long to hash."""
RequestKey = tuple[WalletKey, int]
ReceiptKey = tuple[str, ReceiptRef]


@dataclass(slots=True)
class WorkingSet:
    """`ends` are the seqs of the heads as they were found; `frozen` the buckets that take nothing.

    `rows` are the wallets' rows that exist. `aliases` are, for each wallet that others were merged into, those others
    and whatever was merged into them; `direct_aliases` the rows that say so. `sent`: what wallets sent to others today.
    """

    heads: dict[int, Head] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    frozen: set[int] = field(default_factory=set)
    wallets: dict[WalletKey, Wallet] = field(default_factory=dict)
    rows: set[tuple[WalletKey, Unit]] = field(default_factory=set)
    originals: dict[Place, Entry] = field(default_factory=dict)
    requests: dict[RequestKey, Entry] = field(default_factory=dict)
    receipts: dict[ReceiptKey, Place] = field(default_factory=dict)
    aliases: dict[WalletKey, list[WalletKey]] = field(default_factory=dict)
    direct_aliases: set[tuple[WalletKey, WalletKey]] = field(default_factory=set)
    sent: dict[UUID, int] = field(default_factory=dict)

    def wallet_of(self, wish: Wish) -> Wallet | None:
        """The wallet a wish is about, None when the entry it names does not exist."""
        if isinstance(wish, WalletWish):
            return self.wallets[wish.wallet.int]
        if isinstance(wish, EntryWish) and (original := self.originals.get(wish.place)):
            return self.wallets[original.wallet.int]
        return None

    def wallet(self, bucket: int, id_: UUID) -> Wallet:
        """The wallet as far as it is known; one that nobody knows is empty."""
        wallet = self.wallets.get(id_.int)
        if wallet is None:
            wallet = self.wallets[id_.int] = Wallet(bucket, id_)
        return wallet


def receipt_bucket(key: ReceiptKey, bucket_count: int) -> int:
    """The bucket of a receipt's claim: the same for everybody who sends that receipt, whatever the wallet."""
    partner, (store, terminal, day, number) = key
    return crc32("\x1f".join((partner, day.isoformat(), store, terminal, number)).encode()) % bucket_count


def receipt_columns(keys: Sequence[ReceiptKey], bucket_count: int) -> list[Column]:
    """The key of `ledger.receipts`, in column order."""
    receipts = [receipt for _, receipt in keys]
    return [
        Int4s([receipt_bucket(key, bucket_count) for key in keys]),
        Names([partner for partner, _ in keys]),
        Days([receipt.business_date for receipt in receipts]),
        Names([receipt.store for receipt in receipts]),
        Names([receipt.terminal for receipt in receipts]),
        Texts([receipt.receipt_no for receipt in receipts]),
    ]


def place_columns(places: Iterable[Place]) -> list[Column]:
    places = list(places)
    return [Int4s([place.bucket for place in places]), Int8s([place.seq for place in places])]


def wallet_columns(wallets: Sequence[Wallet]) -> list[Column]:
    return [Int4s([wallet.bucket for wallet in wallets]), Uuids([wallet.id for wallet in wallets])]


def request_columns(requests: Sequence[RequestKey], bucket_count: int) -> list[Column]:
    """Requests as three columns: bucket, wallet, id."""
    wallets = [UUID(int=wallet) for wallet, _ in requests]
    return [
        Int4s([bucket_of(wallet, bucket_count) for wallet in wallets]),
        Uuids(wallets),
        Uuids([UUID(int=id_) for _, id_ in requests]),
    ]
