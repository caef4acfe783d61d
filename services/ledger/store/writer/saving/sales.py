"""Holds and redemptions."""

from __future__ import annotations

from collections.abc import Sequence

from services.ledger.domain.entry import Entry, EntryKind, Place
from services.ledger.domain.wallet import Wallet
from services.ledger.store.writer import writes as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.working_set import place_columns
from shared.db.columns import Instants, Int2s, Int4s, Int8s, Names, Uuids

_ON_HOLDS = frozenset({EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.EXTENSION})
_SPENDS = frozenset({EntryKind.REDEMPTION, EntryKind.CAPTURE})


def save_holds(saving: Asking, entries: Sequence[Entry], wallets: Sequence[Wallet]) -> None:
    both = list(zip(entries, wallets, strict=True))
    new = [(entry, wallet.holds[entry.seq]) for entry, wallet in both if entry.kind is EntryKind.HOLD]
    if new:
        saving.ask(
            sql.INSERT_HOLDS,
            [
                Int4s([entry.bucket for entry, _ in new]),
                Int8s([hold.seq for _, hold in new]),
                Uuids([entry.wallet for entry, _ in new]),
                Names([hold.partner for _, hold in new]),
                Int8s([hold.points for _, hold in new]),
                Int8s([hold.captured for _, hold in new]),
                Int8s([hold.released for _, hold in new]),
                Int2s([hold.state for _, hold in new]),
                Instants([hold.expires_at for _, hold in new]),
            ],
        )
    touched = {
        Place(entry.bucket, entry.original): wallet.holds[entry.original]
        for entry, wallet in both
        if entry.kind in _ON_HOLDS and entry.original is not None
    }
    if touched:
        holds = list(touched.values())
        saving.ask(
            sql.UPDATE_HOLDS,
            [
                *place_columns(touched),
                Int8s([hold.captured for hold in holds]),
                Int8s([hold.released for hold in holds]),
                Int2s([hold.state for hold in holds]),
                Instants([hold.expires_at for hold in holds]),
            ],
        )


def save_redemptions(saving: Asking, entries: Sequence[Entry], wallets: Sequence[Wallet]) -> None:
    both = list(zip(entries, wallets, strict=True))
    new = [(entry, wallet.redemptions[entry.seq]) for entry, wallet in both if entry.kind in _SPENDS]
    if new:
        saving.ask(
            sql.INSERT_REDEMPTIONS,
            [
                Int4s([entry.bucket for entry, _ in new]),
                Int8s([redemption.seq for _, redemption in new]),
                Uuids([entry.wallet for entry, _ in new]),
                Names([redemption.partner for _, redemption in new]),
                Int8s([redemption.points for _, redemption in new]),
                Int8s([redemption.refunded for _, redemption in new]),
            ],
        )
    touched = {
        Place(entry.bucket, entry.original): wallet.redemptions[entry.original].refunded
        for entry, wallet in both
        if entry.kind is EntryKind.REFUND and entry.original is not None
    }
    if touched:
        saving.ask(sql.UPDATE_REDEMPTIONS, [*place_columns(touched), Int8s(list(touched.values()))])
