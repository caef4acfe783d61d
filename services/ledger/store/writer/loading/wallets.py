"""Wallets: their balances, what these say that has to be known as well, and what was sent today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import Final
from uuid import UUID

from services.ledger.domain.entry import Balance, Counterpart, Unit
from services.ledger.domain.wallet import Wallet
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.loading.reading import Reading
from services.ledger.store.writer.working_set import wallet_columns
from shared.db.columns import Int4s
from shared.instants import micros

_UNITS: Final = {unit.value: unit for unit in Unit}
_NO_LINKS: Final = [None, None, 0]


def rows(reading: Reading, questions: Asking) -> Iterator[None]:
    """A row for each unit of a wallet; that of points says the rest about it."""
    wallets = reading.wallets(reading.agenda.rows)
    if not wallets:
        return
    buckets, today = Int4s(sorted({wallet.bucket for wallet in wallets})), reading.now.today
    cursor = questions.ask(sql.WALLETS, [buckets, today, today, *wallet_columns(wallets)])
    yield
    known, idle, heavy = reading.found.rows, reading.programme.idle_days is not None, reading.needs.heavy
    for n, unit, available, pending, held, debt, active_at, idle_days, *links, is_due in cursor.fetchall():
        wallet = wallets[n - 1]
        key = wallet.id.int
        wallet.balances[_UNITS[unit]] = Balance(available, pending, held, debt)
        known.add((key, unit))
        if unit == Unit.POINTS:
            if idle or idle_days is not None or key in heavy:
                wallet.active_at = None if active_at is None else micros(active_at)
            wallet.idle_days = idle_days
            if links != _NO_LINKS:
                _take_links(reading, wallet, *links)
        if is_due:
            reading.agenda.whole.add(key)
        if debt or held or pending or idle_days is not None:
            _look_closer(reading, wallet)


def _take_links(reading: Reading, wallet: Wallet, into_bucket: int, into: UUID | None, aliases: int) -> None:
    wallet.merged_into = None if into is None else Counterpart(into_bucket, into)
    if aliases:
        reading.agenda.aliases.add(wallet.id.int)


def _look_closer(reading: Reading, wallet: Wallet) -> None:
    """What the balances of a wallet say that has to be known as well."""
    key, agenda = wallet.id.int, reading.agenda
    for balance in wallet.balances.values():
        if balance.debt:
            agenda.owing.add(key)
        if balance.held:
            agenda.holding.add(key)
        if balance.pending:
            agenda.pending.add(key)
    spends = any((key, unit) in reading.needs.spending for unit in wallet.balances)
    if wallet.idle_days is not None and (spends or wallet.lapsed(reading.now)):
        agenda.whole.add(key)


def sent_today(reading: Reading, questions: Asking) -> Iterator[None]:
    """What wallets have sent to others since midnight, where the programme limits that."""
    senders = reading.wallets(reading.agenda.senders)
    if not senders:
        return
    midnight = datetime.combine(reading.now.today, time.min, reading.now.zone)
    cursor = questions.ask(sql.SENT, [*wallet_columns(senders), midnight])
    yield
    for n, points in cursor.fetchall():
        reading.found.sent[senders[n - 1].id] = points
