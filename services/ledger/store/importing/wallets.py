"""Wallets as an import needs them: their balances, and whether awards to them are as simple as they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from uuid import UUID

import psycopg

from services.ledger.domain.entry import Balance, Unit
from services.ledger.domain.moment import Moment
from services.ledger.domain.wallet import Wallet
from services.ledger.store.importing.openings import Opening
from services.ledger.store.rows import Row
from shared.db.columns import Instants, Int2s, Int4s, Int8s, Uuids
from shared.instants import instant

_WALLETS: Final = """
SELECT w.wallet_id, w.unit, w.available, w.pending, w.held, w.debt, w.idle_days
FROM unnest(%b) AS asked (wallet_id) JOIN ledger.wallets w ON w.bucket = %s AND w.wallet_id = asked.wallet_id
"""
_UNFIT: Final = """
SELECT w.wallet_id, w.merged_wallet IS NOT NULL, w.debt > 0
FROM unnest(%b) AS asked (wallet_id) JOIN ledger.wallets w ON w.bucket = %s AND w.wallet_id = asked.wallet_id
WHERE w.debt > 0 OR w.merged_wallet IS NOT NULL OR w.active_at < %s - w.idle_days * interval '1 day'
"""
_UPSERT: Final = """
INSERT INTO ledger.wallets (bucket, wallet_id, unit, available, pending, held, debt, active_at, idle_days)
SELECT * FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b)
ON CONFLICT (bucket, wallet_id, unit) DO UPDATE SET
    available = EXCLUDED.available, active_at = EXCLUDED.active_at, idle_days = EXCLUDED.idle_days
"""


def unfit_wallets(
    cursor: psycopg.Cursor[Row], bucket: int, openings: Iterable[Opening], now: Moment
) -> Iterator[tuple[int, str]]:
    """Lines to whose wallet an award would be more than an award, and why."""
    lines = {opening.wallet: opening.line for opening in openings}
    rows = cursor.execute(_UNFIT, [Uuids(list(lines)), bucket, instant(now.at)]).fetchall()
    for wallet, is_merged, is_in_debt in rows:
        if is_merged:
            yield lines[wallet], "it was merged into another"
        else:
            yield lines[wallet], "it owes points" if is_in_debt else "inactivity has ended points of it"


def load_wallets(cursor: psycopg.Cursor[Row], bucket: int, ids: Iterable[UUID]) -> dict[UUID, Wallet]:
    """Wallets without lots: an award asks only how much there is."""
    wallets = {id_: Wallet(bucket, id_) for id_ in ids}
    for id_, unit, available, pending, held, debt, idle_days in cursor.execute(
        _WALLETS, [Uuids(list(wallets)), bucket]
    ):
        wallets[id_].balances[Unit(unit)] = Balance(available, pending, held, debt)
        if unit == Unit.POINTS:
            wallets[id_].idle_days = idle_days
    return wallets


def save_wallets(cursor: psycopg.Cursor[Row], touched: Mapping[tuple[UUID, int], Wallet]) -> None:
    """A row for each unit; that of points is always there: beside it stands what belongs to the whole wallet."""
    rows = {**touched, **{(wallet.id, Unit.POINTS.value): wallet for wallet in touched.values()}}
    wholes = [wallet if unit == Unit.POINTS else None for (_, unit), wallet in rows.items()]
    balances = [wallet.of(Unit(unit)) for (_, unit), wallet in rows.items()]
    cursor.execute(
        _UPSERT,
        [
            Int4s([wallet.bucket for wallet in rows.values()]),
            Uuids([id_ for id_, _ in rows]),
            Int2s([unit for _, unit in rows]),
            Int8s([balance.available for balance in balances]),
            Int8s([balance.pending for balance in balances]),
            Int8s([balance.held for balance in balances]),
            Int8s([balance.debt for balance in balances]),
            Instants([whole.active_at if whole else None for whole in wholes]),
            Int4s([whole.idle_days if whole else None for whole in wholes]),
        ],
    )
