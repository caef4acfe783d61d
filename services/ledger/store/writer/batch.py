"""Decide the wishes of a batch one after the other, in memory. A refused wish spoils no neighbour."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from services.ledger.domain.apply import Head, apply
from services.ledger.domain.entry import OPERATOR, Entry, EntryKind, Place
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals.awarding import ReceiptAlreadyUsed
from services.ledger.domain.refusals.buckets import BucketFrozen
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.requests import RequestIdReused
from services.ledger.domain.terms import Policy, Terms
from services.ledger.domain.verbs.award import allowance_spent
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import (
    AwardWish,
    ClearWish,
    EntryWish,
    ExpireHoldWish,
    ExpireLotsWish,
    TendWish,
    WalletWish,
    Wish,
)
from services.ledger.store.writer.working_set import RequestKey, WalletKey, WorkingSet
from shared.ids import derived
from shared.refusal import Refusal


class Posted(NamedTuple):
    """The entry that a wish became; `replay` when it had become one before."""

    entry: Entry
    replay: bool = False


Outcome = Posted | Refusal


class Batch:
    """Keeps the new entries in the order in which they were decided, the wallet of each beside it, and the requests
    that were refused without a look at their ids.

    `allowances` are the points that issuers may still award, for those that have a cap: they go down as it awards.
    """

    def __init__(
        self,
        found: WorkingSet,
        now: Moment,
        programme: Programme,
        policies: Mapping[str, Policy],
        allowances: dict[str, int],
    ) -> None:
        self.entries: list[Entry] = []
        self.wallets: list[Wallet] = []
        self.refused: list[RequestKey] = []
        self._found = found
        self._now = now
        self._programme = programme
        self._allowances = allowances
        self._terms = Terms(policies, allowances, found.sent)
        self._tended: set[WalletKey] = set()

    def outcome(self, wish: Wish) -> Outcome:
        """What the wish became. Raises JournalCorrupt when the working set contradicts itself: then save nothing."""
        found = self._found
        if wish.bucket in found.frozen:
            return BucketFrozen(bucket=wish.bucket)
        head, wallet = found.heads[wish.bucket], found.wallet_of(wish)
        if wallet is None or self._is_anothers(wish):
            return self._applied(head, Wallet(wish.bucket, wish.request_id), wish)
        request = (wallet.id.int, wish.request_id.int)
        if (again := self._asked_before(request, wish)) is not None:
            return again
        receipt = (wish.partner, wish.receipt) if isinstance(wish, AwardWish) and wish.receipt else None
        if receipt and (place := found.receipts.get(receipt)):
            self.refused.append(request)
            return ReceiptAlreadyUsed(entry=_name(wish.partner, place))
        if wish.dry:
            return self._dry(head, wallet, wish)
        if wallet.lots or wallet.holds:
            self._tend_once(head, wallet)
        if isinstance(wish, TendWish):
            return NothingDue()
        outcome = self._applied(head, wallet, wish)
        if isinstance(outcome, Refusal):
            self.refused.append(request)
            return outcome
        self._keep(outcome.entry, wallet)
        found.requests[request] = outcome.entry
        if receipt:
            found.receipts[receipt] = outcome.entry.place
        self._count(wish, outcome.entry)
        return outcome

    def _keep(self, entry: Entry, wallet: Wallet) -> None:
        self.entries.append(entry)
        self.wallets.append(wallet)

    def _asked_before(self, request: RequestKey, wish: Wish) -> Outcome | None:
        """What the request became, asked of this wallet or of one that was merged into it since."""
        known = self._found.requests
        if (entry := known.get(request)) is not None:
            return _again(entry, wish)
        for other in self._found.aliases.get(request[0], ()):
            if (entry := known.get((other, request[1]))) is not None:
                same = replace(wish, wallet=entry.wallet) if isinstance(wish, WalletWish) else wish
                return _again(entry, same)
        return None

    def _is_anothers(self, wish: Wish) -> bool:
        """Before anything is said about a request id: another partner's entry looks like none."""
        original = self._found.originals.get(wish.place) if isinstance(wish, EntryWish) else None
        return original is not None and original.partner != wish.partner

    def _dry(self, head: Head, wallet: Wallet, wish: Wish) -> Outcome:
        """The same on copies: what would be, with the clock's work done before it."""
        head, wallet = replace(head), deepcopy(wallet)
        self._tend(head, wallet)
        return NothingDue() if isinstance(wish, TendWish) else self._applied(head, wallet, wish)

    def _tend_once(self, head: Head, wallet: Wallet) -> None:
        """The clock's work comes first: what is due by now is not there any more for anybody. Once is enough: nothing
        that a batch does makes more due at the same instant."""
        if wallet.id.int not in self._tended:
            self._tended.add(wallet.id.int)
            for entry in self._tend(head, wallet):
                self._keep(entry, wallet)

    def _tend(self, head: Head, wallet: Wallet) -> list[Entry]:
        """What the clock makes of the wallet: the entries. An entry takes no more lots than a reader can take."""
        entries: list[Entry] = []

        def post(wish: Wish) -> None:
            outcome = self._applied(head, wallet, wish)
            if isinstance(outcome, Posted):
                entries.append(outcome.entry)

        bucket, id_ = head.bucket, wallet.id
        for hold in wallet.due_holds(self._now.at):
            post(ExpireHoldWish(bucket=bucket, partner=OPERATOR, request_id=_clock_id(head), original=hold.seq))
        while wallet.due_pending(self._now.at):
            post(ClearWish(bucket=bucket, partner=OPERATOR, request_id=_clock_id(head), wallet=id_))
        while wallet.due_lots(self._now):
            post(ExpireLotsWish(bucket=bucket, partner=OPERATOR, request_id=_clock_id(head), wallet=id_))
        return entries

    def _applied(self, head: Head, wallet: Wallet, wish: Wish) -> Outcome:
        original = self._found.originals.get(wish.place) if isinstance(wish, EntryWish) else None
        outcome = apply(head, wallet, wish, self._now, self._programme, original, self._terms)
        return outcome if isinstance(outcome, Refusal) else Posted(outcome)

    def _count(self, wish: Wish, entry: Entry) -> None:
        """What caps have to know of the wishes that follow."""
        if self._allowances and isinstance(wish, AwardWish):
            for issuer, points in allowance_spent(wish).items():
                if issuer in self._allowances:
                    self._allowances[issuer] -= points
        if entry.kind is EntryKind.TRANSFER_OUT:
            self._found.sent[entry.wallet] = self._found.sent.get(entry.wallet, 0) + entry.points


def _again(entry: Entry, wish: Wish) -> Outcome:
    """The first answer, or that the id means something else."""
    if entry.request_hash == wish.request_hash:
        return Posted(entry, replay=True)
    name = _name(wish.partner, entry.place) if entry.partner == wish.partner else "of another partner"
    return RequestIdReused(request_id=wish.request_id, entry=name)


def _clock_id(head: Head) -> UUID:
    """The request id of the clock's work: nobody asked for it, so it is named after its place."""
    return derived("clock", str(head.bucket), str(head.seq + 1))


def _name(partner: str, place: Place) -> str:
    """The entry as its partner names it."""
    return f"partners/{partner}/entries/{place}"
