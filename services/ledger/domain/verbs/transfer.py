"""Move points to another wallet: one leg leaves into transit, the other arrives. Issuer and expiry travel along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import (
    AVAILABLE,
    IN_TRANSIT,
    PENDING,
    Account,
    AccountKind,
    Counterpart,
    Entry,
    EntryKind,
    LotId,
    Posting,
    Unit,
    owed,
)
from services.ledger.domain.lots import Lot
from services.ledger.domain.moment import Moment
from services.ledger.domain.points import MOST, MOST_LOTS
from services.ledger.domain.refusals.awarding import BalanceOutOfRange
from services.ledger.domain.refusals.journal import JournalCorrupt
from services.ledger.domain.refusals.moves import TransferLimit, TransferToItself, WalletMerged
from services.ledger.domain.verbs.spend import chosen
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import ArriveWish, MergeWish, TransferWish
from shared.refusal import Refusal

_ARRIVALS = {EntryKind.TRANSFER_OUT: EntryKind.TRANSFER_IN, EntryKind.MERGE_OUT: EntryKind.MERGE_IN}


def transfer(wallet: Wallet, wish: TransferWish, case: Case) -> Draft | Refusal:
    """The leg that leaves: available points in spending order, within the programme's caps."""
    if wish.to.wallet == wallet.id:
        return TransferToItself()
    if (refusal := _above_cap(wish, case)) is not None:
        return refusal
    parts = chosen(wallet.spendable(case.now, wish.unit, oldest_first=case.programme.oldest_first), wish.points)
    if isinstance(parts, Refusal):
        return parts
    postings = tuple(_sent(AVAILABLE, lot, points, wallet, case.now) for lot, points in parts)
    return Draft(EntryKind.TRANSFER_OUT, wish.points, postings, counterpart=wish.to, unit=wish.unit)


def merge(wallet: Wallet, wish: MergeWish, case: Case) -> Draft | Refusal:
    """The leg that leaves: everything but what is held. The clock repeats it for what comes later."""
    if wish.to.wallet == wallet.id:
        return TransferToItself()
    if wallet.merged_into is not None and wallet.merged_into.wallet != wish.to.wallet:
        return WalletMerged()
    postings: list[Posting] = []
    for lot in sorted(wallet.lots.values(), key=lambda lot: lot.id):
        if lot.available:
            postings.append(_sent(AVAILABLE, lot, lot.available, wallet, case.now))
        if lot.pending:
            postings.append(_sent(PENDING, lot, lot.pending, wallet, case.now))
        if lot.owed:
            postings.append(_sent(owed(lot.issuer), lot, lot.owed, wallet, case.now))
    postings = postings[:MOST_LOTS]
    if not postings and wallet.merged_into is not None:
        return WalletMerged()
    unit = min((posting.unit for posting in postings), default=Unit.POINTS)
    points = sum(p.points for p in postings if p.unit is unit and p.debit is not IN_TRANSIT)
    return Draft(EntryKind.MERGE_OUT, points, tuple(postings), counterpart=wish.to, unit=unit)


def arrive(wallet: Wallet, wish: ArriveWish, case: Case) -> Draft | Refusal:
    """The leg that arrives: new lots for what left, under the terms that it left with."""
    out = wish.out
    if out.kind not in _ARRIVALS or out.counterpart is None or out.counterpart.wallet != wallet.id:
        raise JournalCorrupt(entry=out.place, detail="it does not send anything to this wallet")
    if _too_much(wallet, out.postings):
        return BalanceOutOfRange(most=MOST)
    postings = tuple(_received(posting, LotId(case.seq, line)) for line, posting in enumerate(out.postings))
    came_from = Counterpart(out.bucket, out.wallet, out.seq)
    return Draft(_ARRIVALS[out.kind], out.points, postings, counterpart=came_from, unit=out.unit)


def leaves_a_leg(entry: Entry) -> bool:
    """Whether another entry has to follow in the other wallet."""
    return entry.kind in _ARRIVALS


def _sent(account: Account, lot: Lot, points: int, wallet: Wallet, now: Moment) -> Posting:
    """A debt leaves the other way round: the wallet's debt goes down, what is in transit too.

    What inactivity ends keeps the day that this wallet's activity gave it: a move never shortens it.
    """
    debit, credit = (IN_TRANSIT, account) if account.kind is AccountKind.OWED else (account, IN_TRANSIT)
    terms = lot.sent_from(wallet.bucket)
    if account is AVAILABLE:
        terms = terms._replace(available_from=None)
    return Posting(debit, credit, points, lot.id, lot.issuer, wallet.last_day(lot, now), lot.unit, terms=terms)


def _received(posting: Posting, lot: LotId) -> Posting:
    debit, credit = posting.credit, posting.debit
    return Posting(
        debit, credit, posting.points, lot, posting.issuer, posting.expires_on, posting.unit, terms=posting.terms
    )


def _above_cap(wish: TransferWish, case: Case) -> Refusal | None:
    once, a_day = case.programme.transfer_points, case.programme.transfer_points_a_day
    sent = case.terms.sent.get(wish.wallet, 0)
    left = min(once or MOST, max(0, (a_day or MOST) - sent))
    return TransferLimit(transferable_points=left, requested=wish.points) if wish.points > left else None


def _too_much(wallet: Wallet, postings: Sequence[Posting]) -> bool:
    coming: Counter[Unit] = Counter()
    for posting in postings:
        coming[posting.unit] += posting.points
    return any(wallet.of(unit).most + wallet.of(unit).debt + points > MOST for unit, points in coming.items())
