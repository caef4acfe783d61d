"""Write what a batch changed: new entries with their postings, and the projections they moved."""

from __future__ import annotations

from collections.abc import Sequence

from services.ledger.domain.entry import Entry, EntryKind
from services.ledger.domain.wallet import Wallet
from services.ledger.store.writer import writes as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.saving.journal import Places, save_entries, save_postings
from services.ledger.store.writer.saving.links import save_links
from services.ledger.store.writer.saving.lots import save_lots
from services.ledger.store.writer.saving.sales import save_holds, save_redemptions
from services.ledger.store.writer.saving.wallets import save_wallets
from services.ledger.store.writer.working_set import WorkingSet
from shared.db.columns import Hashes, Instants, Int4s, Int8s

__all__ = ["save"]


def save(
    saving: Asking, entries: Sequence[Entry], wallets: Sequence[Wallet], found: WorkingSet, bucket_count: int
) -> None:
    """Send every change; receipts and requests that somebody else has taken meanwhile break the whole.

    `wallets` are those of the entries, one by one. Rows go in by bucket: neighbours in every index follow each other.
    """
    order = sorted(range(len(entries)), key=[entry.bucket for entry in entries].__getitem__)
    entries, wallets = [entries[n] for n in order], [wallets[n] for n in order]
    places = Places(entries)
    save_entries(saving, entries, places, bucket_count)
    save_postings(saving, entries, places)
    save_wallets(saving, entries, list({wallet.id.int: wallet for wallet in wallets}.values()), found)
    save_lots(saving, entries, wallets, found)
    if not all(entry.kind is EntryKind.AWARD for entry in entries):
        save_holds(saving, entries, wallets)
        save_redemptions(saving, entries, wallets)
        save_links(saving, entries, found)
    heads = [found.heads[bucket] for bucket in sorted({wallet.bucket for wallet in wallets})]
    saving.ask(
        sql.UPDATE_HEADS,
        [
            Int4s([head.bucket for head in heads]),
            Int8s([head.seq for head in heads]),
            Hashes([head.hash for head in heads]),
            Instants([head.posted_at for head in heads]),
        ],
    )
