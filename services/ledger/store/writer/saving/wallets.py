"""Wallets: the balances of each unit, and what belongs to a wallet as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from services.ledger.domain.entry import Entry, EntryKind, Unit
from services.ledger.domain.wallet import Wallet
from services.ledger.store.writer import writes as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.working_set import WorkingSet
from shared.db.columns import Column, Instants, Int2s, Int4s, Int8s, Uuids


def save_wallets(saving: Asking, entries: Sequence[Entry], wallets: Sequence[Wallet], found: WorkingSet) -> None:
    """A row for each unit. What belongs to a wallet as a whole stands beside its points: that row is always there."""
    rows = [(wallet, Unit.POINTS) for wallet in wallets]
    others = {
        (entry.wallet.int, unit): (found.wallets[entry.wallet.int], unit)
        for entry in entries
        if entry.unit is not Unit.POINTS or entry.others
        for unit in (entry.unit, *dict(entry.others))
        if unit is not Unit.POINTS
    }
    rows += others.values()
    new = [row for row in rows if (row[0].id.int, row[1]) not in found.rows]
    old = [row for row in rows if (row[0].id.int, row[1]) in found.rows] if new else rows
    if new:
        saving.ask(sql.INSERT_WALLETS, [*_balances(new), *_rare_in_wallets(new)])
    if any(wallet.idle_days or wallet.merged_into or wallet.aliases for wallet, _ in old) or any(
        entry.kind is EntryKind.MERGE_IN for entry in entries
    ):
        saving.ask(sql.UPDATE_RARE_WALLETS, [*_balances(old), *_rare_in_wallets(old)])
    elif old:
        saving.ask(sql.UPDATE_WALLETS, _balances(old))


def _balances(rows: Sequence[tuple[Wallet, Unit]]) -> list[Column]:
    balances = [wallet.of(unit) for wallet, unit in rows]
    return [
        Int4s([wallet.bucket for wallet, _ in rows]),
        Uuids([wallet.id for wallet, _ in rows]),
        Int2s([unit for _, unit in rows]),
        Int8s([balance[0] for balance in balances]),
        Int8s([balance[1] for balance in balances]),
        Int8s([balance[2] for balance in balances]),
        Int8s([balance[3] for balance in balances]),
        Instants([wallet.active_at if unit is Unit.POINTS else None for wallet, unit in rows]),
    ]


def _rare_in_wallets(rows: Sequence[tuple[Wallet, Unit]]) -> list[Column]:
    wholes = [wallet if unit is Unit.POINTS else None for wallet, unit in rows]
    intos = [wallet.merged_into if wallet else None for wallet in wholes]
    return [
        Int4s([wallet.idle_days if wallet else None for wallet in wholes]),
        Int4s([into.bucket if into else None for into in intos]),
        Uuids([into.wallet if into else None for into in intos]),
        Int4s([len(wallet.aliases) if wallet else 0 for wallet in wholes]),
    ]
