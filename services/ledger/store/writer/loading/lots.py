"""Lots: those that are spent next, and those that something else makes matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.ledger.domain.lots import Lot
from services.ledger.store.rows import lot_of
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.loading.agenda import News
from services.ledger.store.writer.loading.reading import Reading
from services.ledger.store.writer.working_set import WalletKey, place_columns, wallet_columns
from shared.db.columns import Int2s
from shared.instants import instant


def next_lots(reading: Reading, questions: Asking) -> Iterator[None]:
    """The first lots in the order in which they are spent; all of them where these may be too few."""
    asked = reading.agenda.spending.taken()
    if not asked:
        return
    wallets = [reading.found.wallets[key] for key, _ in asked]
    cursor = questions.ask(sql.NEXT_LOTS, [*wallet_columns(wallets), Int2s([unit for _, unit in asked])])
    yield
    found: list[list[Lot]] = [[] for _ in asked]
    for n, *row in cursor.fetchall():
        lot = lot_of(row)
        found[n - 1].append(lot)
        wallets[n - 1].lots[lot.id] = lot
    for (key, unit), lots in zip(asked, found, strict=True):
        are_all = len(lots) < sql.NEXT
        if not are_all and sum(lot.available for lot in lots) < reading.needs.spending[key, unit]:
            reading.agenda.whole.add(key)


def all_lots(reading: Reading, questions: Asking) -> Iterator[None]:
    """Whatever has points, of wallets that are needed whole."""
    return _lots_of(reading.agenda.whole, reading, questions, sql.LIVE_LOTS)


def lots_in_debt(reading: Reading, questions: Asking) -> Iterator[None]:
    """The award lots that a wallet owes points for."""
    return _lots_of(reading.agenda.owing, reading, questions, sql.LOTS_IN_DEBT)


def pending_due(reading: Reading, questions: Asking) -> Iterator[None]:
    """Lots whose points are pending no longer."""
    return _lots_of(reading.agenda.pending, reading, questions, sql.PENDING_DUE, [instant(reading.now.at)])


def _lots_of(
    news: News[WalletKey], reading: Reading, questions: Asking, statement: str, more: Sequence[object] = ()
) -> Iterator[None]:
    wallets = reading.wallets(news)
    if not wallets:
        return
    cursor = questions.ask(statement, [*wallet_columns(wallets), *more])
    yield
    for n, *row in cursor.fetchall():
        lot = lot_of(row)
        wallets[n - 1].lots[lot.id] = lot


def lots_of_awards(reading: Reading, questions: Asking) -> Iterator[None]:
    """Lots that earlier entries moved."""
    awards = reading.agenda.awards.taken()
    if not awards:
        return
    cursor = questions.ask(sql.LOTS_OF_AWARDS, place_columns(awards))
    yield
    for bucket, id_, *row in cursor.fetchall():
        lot = lot_of(row)
        reading.found.wallet(bucket, id_).lots[lot.id] = lot
