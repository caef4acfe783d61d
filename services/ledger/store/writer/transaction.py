"""One posting transaction: lock, load, apply each wish in memory, save, commit. A refused wish spoils no neighbour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
import structlog

from services.ledger.domain.apply import Head, apply
from services.ledger.domain.entry import OPERATOR, Entry, Place
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals import NothingDue, ReceiptAlreadyUsed, RequestIdReused
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import (
    AwardWish,
    EntryWish,
    ExpireHoldWish,
    ExpireLotsWish,
    Moment,
    TendWish,
    Wish,
)
from services.ledger.store.rows import Row
from services.ledger.store.writer.saving import save
from services.ledger.store.writer.working_set import WorkingSet, load
from shared.ids import derived
from shared.refusal import Refusal

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """The entry that a wish became; `replay` when it had become one before."""

    entry: Entry
    replay: bool = False


Outcome = Posted | Refusal


class ReceiptClaimedMeanwhile(Exception):
    """Another batch took a receipt between our look and our insert: do the batch again, looking first."""


def post(
    connection: psycopg.Connection[Row],
    wishes: Sequence[Wish],
    now: Moment,
    programme: Programme,
    bucket_count: int,
    *,
    probe_receipts: bool = False,
) -> list[Outcome]:
    """Do everything but the commit. Outcomes are in the order of the wishes; nothing is promised before the commit."""
    with connection.cursor(binary=True) as cursor:
        found = load(cursor, wishes, now, bucket_count, probe_receipts=probe_receipts)
    batch = Batch(found, now, programme)
    outcomes = [batch.outcome(wish) for wish in wishes]
    if batch.entries and not save(connection, batch.entries, found, bucket_count):
        raise ReceiptClaimedMeanwhile
    return outcomes


class Batch:
    """Applies wishes one after the other to a working set, and keeps the new entries in journal order."""

    def __init__(self, found: WorkingSet, now: Moment, programme: Programme) -> None:
        self.entries: list[Entry] = []
        self._found = found
        self._now = now
        self._programme = programme

    def outcome(self, wish: Wish) -> Outcome:
        """What the wish became. Raises JournalCorrupt when the working set contradicts itself: then save nothing."""
        key = self._found.wallet_key(wish)
        if key is None or self._is_anothers(wish):
            return self._apply(self._found.heads[wish.bucket], Wallet(wish.bucket, wish.request_id), wish)
        if first := self._found.requests.get((*key, wish.request_id)):
            request_hash, entry = first
            if request_hash == wish.request_hash:
                return Posted(entry, replay=True)
            own = entry.partner == wish.partner
            return RequestIdReused(
                request_id=wish.request_id, entry=_name(wish.partner, entry.place) if own else "of another partner"
            )
        receipt = (wish.partner, wish.receipt) if isinstance(wish, AwardWish) and wish.receipt else None
        if receipt and (place := self._found.receipts.get(receipt)):
            return ReceiptAlreadyUsed(entry=_name(wish.partner, place))
        head, wallet = self._found.heads[wish.bucket], self._found.wallets[key]
        self._tend(head, wallet)
        if isinstance(wish, TendWish):
            return NothingDue()
        outcome = self._apply(head, wallet, wish)
        if isinstance(outcome, Posted):
            self._found.requests[(*key, wish.request_id)] = (outcome.entry.request_hash, outcome.entry)
            if receipt:
                self._found.receipts[receipt] = outcome.entry.place
        return outcome

    def _is_anothers(self, wish: Wish) -> bool:
        """Before anything is said about a request id: another partner's entry looks like none."""
        original = self._found.originals.get(wish.place) if isinstance(wish, EntryWish) else None
        return original is not None and original.partner != wish.partner

    def _tend(self, head: Head, wallet: Wallet) -> None:
        """The clock's work comes first: what is due by now is not there any more for anybody."""
        for hold in wallet.due_holds(self._now.at):
            id_ = _clock_id(head)
            wish = ExpireHoldWish(bucket=head.bucket, partner=OPERATOR, request_id=id_, original=hold.seq)
            self._apply(head, wallet, wish)
        while wallet.due_lots(self._now.today):  # an entry takes no more lots than a reader can take
            id_ = _clock_id(head)
            self._apply(
                head,
                wallet,
                ExpireLotsWish(bucket=head.bucket, partner=OPERATOR, request_id=id_, wallet=wallet.id),
            )

    def _apply(self, head: Head, wallet: Wallet, wish: Wish) -> Outcome:
        original = self._found.originals.get(wish.place) if isinstance(wish, EntryWish) else None
        outcome = apply(head, wallet, wish, self._now, self._programme, original)
        if isinstance(outcome, Refusal):
            return outcome
        self.entries.append(outcome)
        return Posted(outcome)


def _clock_id(head: Head) -> UUID:
    """The request id of the clock's work: nobody asked for it, so it is named after its place."""
    return derived("clock", str(head.bucket), str(head.seq + 1))


def _name(partner: str, place: Place) -> str:
    """The entry as its partner names it."""
    return f"partners/{partner}/entries/{place}"
