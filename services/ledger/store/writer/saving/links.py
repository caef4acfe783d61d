"""What leads from one wallet to another: points on their way, and request ids that count elsewhere as well."""

from __future__ import annotations

from collections.abc import Sequence

from services.ledger.domain.entry import Entry, EntryKind
from services.ledger.domain.verbs.transfer import leaves_a_leg
from services.ledger.store.writer import writes as sql
from services.ledger.store.writer.asking import Asking
from services.ledger.store.writer.working_set import WorkingSet
from shared.db.columns import Int2s, Int4s, Int8s, Uuids


def save_links(saving: Asking, entries: Sequence[Entry], found: WorkingSet) -> None:
    leaving = [(entry, entry.counterpart) for entry in entries if leaves_a_leg(entry) and entry.counterpart]
    if leaving:
        saving.ask(
            sql.INSERT_TRANSFERS,
            [
                Int4s([entry.bucket for entry, _ in leaving]),
                Int8s([entry.seq for entry, _ in leaving]),
                Int2s([entry.kind for entry, _ in leaving]),
                Int4s([to.bucket for _, to in leaving]),
                Uuids([to.wallet for _, to in leaving]),
            ],
        )
    merged = {
        (entry.wallet.int, entry.counterpart.wallet.int): (entry, entry.counterpart)
        for entry in entries
        if entry.kind is EntryKind.MERGE_IN and entry.counterpart
    }
    if new := [link for key, link in merged.items() if key not in found.direct_aliases]:
        saving.ask(
            sql.INSERT_ALIASES,
            [
                Int4s([entry.bucket for entry, _ in new]),
                Uuids([entry.wallet for entry, _ in new]),
                Int4s([other.bucket for _, other in new]),
                Uuids([other.wallet for _, other in new]),
            ],
        )
