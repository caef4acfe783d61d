"""A wallet as the core sees it: what has been folded from its entries so far, wholly or as far as a wish needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.ledger.domain.entry import AccountKind, Balance, Entry, EntryKind, Posting, Unit
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.domain.wallet.changes import take_in
from services.ledger.domain.wallet.contents import EMPTY, Contents
from services.ledger.domain.wallet.moving import move

_ACTIVITY = frozenset({EntryKind.AWARD, EntryKind.REDEMPTION, EntryKind.CAPTURE})
_OWED, _AWARD = AccountKind.OWED, EntryKind.AWARD  # to look a member up in its enum costs more than to compare it


@dataclass(slots=True)
class Wallet(Contents):
    """Contents that take entries in, one after the other."""

    def fold(self, entry: Entry, balances: dict[Unit, Balance] | None = None) -> None:
        """Take the entry in. Raises JournalCorrupt when it does not follow from the state: points would be negative.

        `balances` are those after the entry, for whoever has just reckoned them.
        """
        self.balances.update(_sound(balances or self.after(entry.postings), entry))
        for posting in entry.postings:
            move(self, posting, entry)
        if entry.kind in _ACTIVITY:
            self.active_at = entry.posted_at
        if entry.kind is not _AWARD:
            take_in(self, entry)

    def after(self, postings: Iterable[Posting]) -> dict[Unit, Balance]:
        """The balances of the units that these postings touch, once they are taken in."""
        found: dict[Unit, list[int]] = {}
        for posting in postings:
            unit, points = posting.unit, posting.points
            sums = found.get(unit)
            if sums is None:
                sums = found[unit] = [*self.balances.get(unit, EMPTY)]
            debit, credit = posting.debit.kind, posting.credit.kind
            if debit <= _OWED:
                sums[debit - 1] -= points if debit is not _OWED else -points
            if credit <= _OWED:
                sums[credit - 1] += points if credit is not _OWED else -points
        return {unit: Balance(*sums) for unit, sums in found.items()}


def _sound(balances: dict[Unit, Balance], entry: Entry) -> dict[Unit, Balance]:
    for balance in balances.values():
        if min(balance) < 0:
            raise JournalCorrupt(entry=entry.place, detail="the wallet's balance would be negative")
    return balances
