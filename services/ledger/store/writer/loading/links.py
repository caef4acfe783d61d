"""Wallets that were merged into others: what was asked of them was asked of the survivor."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import Counterpart
from services.ledger.store.writer import statements as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.loading.reading import Reading
from shared.db.columns import Int4s, Uuids


def aliases(reading: Reading, questions: Asking) -> Iterator[None]:
    """The wallets that were merged into these, and in the next round into those."""
    keys = reading.agenda.aliases.taken()
    if not keys:
        return
    ids = [UUID(int=key) for key in keys]
    columns = [Int4s([bucket_of(id_, reading.bucket_count) for id_ in ids]), Uuids(ids)]
    cursor = questions.ask(sql.ALIASES, columns)
    yield
    found = reading.found
    for n, bucket, id_ in cursor.fetchall():
        key = keys[n - 1]
        reading.merged.setdefault(key, []).append(id_.int)
        found.direct_aliases.add((key, id_.int))
        reading.agenda.aliases.add(id_.int)
        if (wallet := found.wallets.get(key)) is not None:
            wallet.aliases = (*wallet.aliases, Counterpart(bucket, id_))
    _reckon(reading)


def _reckon(reading: Reading) -> None:
    """Whoever went into a wallet, also by way of others; what is wished of it may have been asked of each of them."""
    found, merged = reading.found, reading.merged
    for key in found.wallets:
        found.aliases[key] = others = list(merged.get(key, ()))
        for other in others:
            others += [one for one in merged.get(other, ()) if one not in others]
    for wish in reading.wishes:
        if (wallet := found.wallet_of(wish)) is not None:
            for other in found.aliases.get(wallet.id.int, ()):
                reading.agenda.requests.add((other, wish.request_id.int))
