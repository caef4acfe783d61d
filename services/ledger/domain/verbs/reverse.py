"""Undo an award: what is left of its own lots first, then other available points; for the rest there is a policy."""

from __future__ import annotations

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import (
    AVAILABLE,
    PENDING,
    Account,
    EntryKind,
    LotId,
    Posting,
    Unit,
    issued,
    owed,
    withheld,
    written_off,
)
from services.ledger.domain.lots import Lot
from services.ledger.domain.points import MOST_LOTS
from services.ledger.domain.refusals.entries import NotAnAward, ReversalExceedsAward
from services.ledger.domain.refusals.spending import TooManyLots
from services.ledger.domain.terms import NegativeBalance
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import LineKey, ReverseWish
from shared.refusal import Refusal

_SHORTFALL = {
    NegativeBalance.ALLOW_NEGATIVE: owed,
    NegativeBalance.WITHHOLD_FROM_REFUND: withheld,
    NegativeBalance.WRITE_OFF: written_off,
}


def reverse(wallet: Wallet, wish: ReverseWish, case: Case) -> Draft | Refusal:
    """`case.original` is the entry that the wish names; its partner was checked."""
    if case.original is None or case.original.kind is not EntryKind.AWARD:
        return NotAnAward(entry=wish.place)
    own = {lot.key: lot for lot in wallet.award_lots(wish.original)}
    wanted = {line.key: line.points for line in wish.lines} or {
        key: lot.awarded - lot.undone for key, lot in own.items() if lot.awarded > lot.undone
    }
    for key, points in wanted.items():
        left = own[key].awarded - own[key].undone if key in own else 0
        if points > left:
            return ReversalExceedsAward(entry=wish.place, issuer=key.issuer, reversible=left, requested=points)
    if not wanted:
        issuer = next(iter(own)).issuer
        return ReversalExceedsAward(entry=wish.place, issuer=issuer, reversible=0, requested=0)
    postings = _Taking(wallet, own, wanted, case).postings()
    if len(postings) > MOST_LOTS:
        return TooManyLots(most_lots=MOST_LOTS, possible=sum(posting.points for posting in postings[:MOST_LOTS]))
    unit = min(key.unit for key in wanted)
    points = sum(points for key, points in wanted.items() if key.unit is unit)
    return Draft(EntryKind.REVERSAL, points, tuple(postings), original=wish.original, unit=unit)


class _Taking:
    """Takes back `wanted`. Every line takes from its own lot before any takes from another's."""

    def __init__(self, wallet: Wallet, own: dict[LineKey, Lot], wanted: dict[LineKey, int], case: Case) -> None:
        self._own = own
        self._missing = dict(wanted)
        self._merged = wallet.merged_into is not None
        self._policy = case.terms.of
        self._spending_order: dict[Unit, list[Lot]] = {
            unit: wallet.spendable(case.now, unit, oldest_first=case.programme.oldest_first)
            for unit in {key.unit for key in wanted}
        }
        self._free: dict[LotId, int] = {lot.id: lot.available for lots in self._spending_order.values() for lot in lots}
        self._postings: list[Posting] = []

    def postings(self) -> list[Posting]:
        lines = list(self._missing)
        for key in lines:
            self._take(key, self._own[key], PENDING, self._own[key].pending)
            self._take_available(key, self._own[key])
        for key in lines:
            for lot in self._spending_order[key.unit]:
                self._take_available(key, lot)
        for key in lines:
            self._take(key, self._own[key], self._shortfall(key.issuer), self._missing[key])
        return self._postings

    def _shortfall(self, issuer: str) -> Account:
        """What the issuer's policy says; in a merged wallet a debt, that follows to where the points went."""
        policy = NegativeBalance.ALLOW_NEGATIVE if self._merged else self._policy(issuer).negative_balance
        return _SHORTFALL[policy](issuer)

    def _take_available(self, key: LineKey, lot: Lot) -> None:
        taken = self._take(key, lot, AVAILABLE, self._free.get(lot.id, 0))
        if taken:
            self._free[lot.id] -= taken

    def _take(self, key: LineKey, lot: Lot, source: Account, offered: int) -> int:
        points = min(self._missing[key], offered)
        if points:
            self._missing[key] -= points
            line = self._own[key].id
            for_lot = None if lot.id == line else line
            self._postings.append(
                Posting(source, issued(key.issuer), points, lot.id, lot.issuer, lot.expires_on, key.unit, for_lot)
            )
        return points
