"""Lots: new ones as the batch left them, and what it changed of others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.ledger.domain.entry import Entry, EntryKind, LotId
from services.ledger.domain.lots import Lot
from services.ledger.domain.wallet import Wallet
from services.ledger.store.writer import writes as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.working_set import WorkingSet
from shared.db.columns import Column, Days, Instants, Int2s, Int4s, Int8s, Names, Uuids


def save_lots(saving: Asking, entries: Sequence[Entry], wallets: Sequence[Wallet], found: WorkingSet) -> None:
    new: dict[tuple[int, LotId], tuple[Wallet, Lot]] = {}
    old: dict[tuple[int, LotId], tuple[Wallet, Lot]] = {}
    for entry, wallet in zip(entries, wallets, strict=True):
        bucket, end = entry.bucket, found.ends[entry.bucket]
        for id_ in lots_touched(entry, wallet):
            (new if id_[0] > end else old)[bucket, id_] = (wallet, wallet.lots[id_])
    if new:
        _insert_lots(saving, list(new.values()))
    if old:
        lots = [lot for _, lot in old.values()]
        saving.ask(
            sql.UPDATE_LOTS,
            [
                Int4s([bucket for bucket, _ in old]),
                Int8s([lot.id[0] for lot in lots]),
                Int2s([lot.id[1] for lot in lots]),
                Days([lot.expires_on for lot in lots]),
                Int8s([lot.available for lot in lots]),
                Int8s([lot.pending for lot in lots]),
                Int8s([lot.held for lot in lots]),
                Int8s([lot.undone for lot in lots]),
                Int8s([lot.owed for lot in lots]),
            ],
        )


def lots_touched(entry: Entry, wallet: Wallet) -> Iterable[LotId]:
    """The lots that an entry changed: those of its postings, and those of an award it undid."""
    if entry.kind is EntryKind.AWARD and len(entry.postings) == 1:
        return (entry.postings[0].lot,)
    touched = {posting.lot for posting in entry.postings}
    touched |= {posting.for_lot for posting in entry.postings if posting.for_lot is not None}
    if entry.kind is EntryKind.REVERSAL:
        touched |= {lot.id for lot in wallet.award_lots(entry.original or 0)}
    return touched


def _insert_lots(saving: Asking, rows: Sequence[tuple[Wallet, Lot]]) -> None:
    lots = [lot for _, lot in rows]
    columns: list[Column] = [
        Int4s([wallet.bucket for wallet, _ in rows]),
        Int8s([lot.id[0] for lot in lots]),
        Int2s([lot.id[1] for lot in lots]),
        Uuids([wallet.id for wallet, _ in rows]),
        Int2s([lot.unit for lot in lots]),
        Names([lot.issuer for lot in lots]),
        Instants([lot.earned_at for lot in lots]),
        Days([lot.expires_on for lot in lots]),
        Int8s([lot.awarded for lot in lots]),
        Int8s([lot.available for lot in lots]),
        Int8s([lot.pending for lot in lots]),
        Int8s([lot.held for lot in lots]),
        Int8s([lot.undone for lot in lots]),
    ]
    if not any(
        lot.owed or lot.campaign or lot.available_from is not None or lot.idle_days is not None or lot.origin
        for lot in lots
    ):
        saving.ask(sql.INSERT_LOTS, columns)
        return
    origins = [lot.origin for lot in lots]
    columns += [
        Int8s([lot.owed for lot in lots]),
        Instants([lot.available_from for lot in lots]),
        Int4s([lot.idle_days for lot in lots]),
        Names([lot.campaign or None for lot in lots]),
        Int4s([origin.bucket if origin else None for origin in origins]),
        Int8s([origin.seq if origin else None for origin in origins]),
        Int2s([origin.line if origin else None for origin in origins]),
    ]
    saving.ask(sql.INSERT_RARE_LOTS, columns)
