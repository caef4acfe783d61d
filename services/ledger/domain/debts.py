"""Debts are repaid by whatever arrives, in the entry that brings it: a wallet never has points to spend and a debt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from services.ledger.domain.entry import (
    AVAILABLE,
    PLAIN,
    AccountKind,
    EntryKind,
    LotId,
    LotTerms,
    Posting,
    Unit,
    owed,
)
from services.ledger.domain.lots import Lot
from services.ledger.domain.moment import Moment
from services.ledger.domain.wallet import Wallet


class _Means(NamedTuple):
    """Points that can pay."""

    lot: LotId
    issuer: str
    expires_on: date | None
    points: int


class _Debt(NamedTuple):
    """Points owed for an award lot. `terms` name the award where the debt came from another wallet: settlement prices
    what is repaid like the award, which it cannot find by a lot of this bucket."""

    lot: LotId
    issuer: str
    points: int
    terms: LotTerms = PLAIN


def repayments(
    wallet: Wallet, kind: EntryKind, postings: Sequence[Posting], now: Moment, *, oldest_first: bool
) -> Iterator[Posting]:
    """What follows the postings of an entry: the oldest debt first, from what arrived first."""
    merging = kind is EntryKind.MERGE_IN  # only a merge brings debts along, and then what was there pays too
    if not merging and not any(balance.debt for balance in wallet.balances.values()):
        return
    for unit in sorted({posting.unit for posting in postings}):
        debts = [_Debt(lot.id, lot.issuer, lot.owed, _award_of(lot)) for lot in wallet.debts(unit)]
        arrived = [p for p in postings if p.credit == AVAILABLE and p.unit is unit]
        means = [_Means(p.lot, p.issuer, p.expires_on, p.points) for p in arrived]
        brought = [p for p in postings if merging and p.debit.kind is AccountKind.OWED and p.unit is unit]
        if brought:
            debts += [_Debt(p.lot, p.issuer, p.points, _only_award(p.terms)) for p in brought]
            there = wallet.spendable(now, unit, oldest_first=oldest_first)
            own = [_Means(lot.id, lot.issuer, lot.expires_on, lot.available) for lot in there]
            means = [*own, *means]
        yield from _paid(debts, means, unit)


def _paid(debts: Sequence[_Debt], means: Sequence[_Means], unit: Unit) -> Iterator[Posting]:
    """Both run out in their order; each step ends one or the other."""
    waiting = list(reversed(means))
    for debt in debts:
        missing = debt.points
        while missing and waiting:
            paying = waiting.pop()
            part = min(missing, paying.points)
            missing -= part
            if part < paying.points:
                waiting.append(paying._replace(points=paying.points - part))
            for_lot = None if paying.lot == debt.lot else debt.lot
            account, terms = owed(debt.issuer), debt.terms
            yield Posting(AVAILABLE, account, part, paying.lot, paying.issuer, paying.expires_on, unit, for_lot, terms)


def _award_of(lot: Lot) -> LotTerms:
    return PLAIN if lot.origin is None else LotTerms(earned_at=lot.earned_at, origin=lot.origin)


def _only_award(terms: LotTerms) -> LotTerms:
    return LotTerms(earned_at=terms.earned_at, origin=terms.origin)
