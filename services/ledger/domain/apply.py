"""The state machine: one wish, applied to one wallet and to the head of its bucket.

The same `fold` that takes the new entry in serves replay and verification, so what was posted and what is rebuilt
cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.ledger.domain.case import Case
from services.ledger.domain.chain import canonical, chained
from services.ledger.domain.debts import repayments
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import Entry, EntryKind
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals.entries import EntryNotFound
from services.ledger.domain.refusals.holds import HoldNotFound
from services.ledger.domain.terms import NO_TERMS, Terms
from services.ledger.domain.verbs.adjust import adjust
from services.ledger.domain.verbs.award import award
from services.ledger.domain.verbs.clear import clear, release_pending
from services.ledger.domain.verbs.expire import expire
from services.ledger.domain.verbs.refund import refund
from services.ledger.domain.verbs.reverse import reverse
from services.ledger.domain.verbs.settle_hold import capture, expire_hold, extend, release
from services.ledger.domain.verbs.spend import hold, redeem
from services.ledger.domain.verbs.transfer import arrive, merge, transfer
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import (
    AdjustWish,
    ArriveWish,
    AwardWish,
    CaptureWish,
    ClearWish,
    EntryWish,
    ExpireHoldWish,
    ExpireLotsWish,
    ExtendWish,
    HoldWish,
    MergeWish,
    RedeemWish,
    RefundWish,
    ReleasePendingWish,
    ReleaseWish,
    ReverseWish,
    TransferWish,
    Wish,
)
from shared.refusal import Refusal


@dataclass(slots=True)
class Head:
    """The newest entry of a bucket: the next one takes `seq + 1`, is chained to `hash` and not posted earlier."""

    bucket: int
    seq: int
    hash: bytes
    posted_at: int = 0


def apply(
    head: Head,
    wallet: Wallet,
    wish: Wish,
    now: Moment,
    programme: Programme,
    original: Entry | None = None,
    terms: Terms = NO_TERMS,
) -> Entry | Refusal:
    """Decide, and on a yes move the head and the wallet on. On a refusal nothing has changed.

    `original` is the entry that an EntryWish names, None where there is none.
    """
    draft = _decide(wallet, wish, Case(now, programme, head.seq + 1, terms, original))
    if isinstance(draft, Refusal):
        return draft
    entry = _placed(draft, head, wallet, wish, now, oldest_first=programme.oldest_first)
    head.seq, head.hash, head.posted_at = entry.seq, entry.hash, entry.posted_at
    return entry


def _decide(wallet: Wallet, wish: Wish, case: Case) -> Draft | Refusal:
    match wish:
        case AwardWish():
            return award(wallet, wish, case)
        case RedeemWish():
            return redeem(wallet, wish, case)
        case HoldWish():
            return hold(wallet, wish, case)
        case EntryWish():
            return _decide_on_entry(wallet, wish, case)
        case AdjustWish():
            return adjust(wallet, wish, case)
        case ClearWish():
            return clear(wallet, case)
        case ExpireLotsWish():
            return expire(wallet, case)
        case _:
            return _decide_between_wallets(wallet, wish, case)


def _decide_between_wallets(wallet: Wallet, wish: Wish, case: Case) -> Draft | Refusal:
    match wish:
        case TransferWish():
            return transfer(wallet, wish, case)
        case ArriveWish():
            return arrive(wallet, wish, case)
        case MergeWish():
            return merge(wallet, wish, case)
        case _:
            raise TypeError(f"no verb for {type(wish).__name__}")


def _decide_on_entry(wallet: Wallet, wish: EntryWish, case: Case) -> Draft | Refusal:
    """The verbs that name an earlier entry: of the same partner, or of anybody for the clock."""
    if isinstance(wish, ExpireHoldWish):
        return expire_hold(wallet, wish, case)
    if case.original is None or case.original.partner != wish.partner:
        return not_there(wish)
    match wish:
        case CaptureWish():
            return capture(wallet, wish, case)
        case ReleaseWish():
            return release(wallet, wish, case)
        case ExtendWish():
            return extend(wallet, wish, case)
        case ReverseWish():
            return reverse(wallet, wish, case)
        case RefundWish():
            return refund(wallet, wish, case)
        case ReleasePendingWish():
            return release_pending(wallet, wish, case)
        case _:
            raise TypeError(f"no verb for {type(wish).__name__}")


def _placed(draft: Draft, head: Head, wallet: Wallet, wish: Wish, now: Moment, *, oldest_first: bool) -> Entry:
    postings = draft.postings
    if wallet.owes or draft.kind is EntryKind.MERGE_IN:
        paid = repayments(wallet, draft.kind, postings, now, oldest_first=oldest_first)
        postings = (*postings, *paid)
    balances = wallet.after(postings)
    others = () if len(balances) == 1 else tuple(sorted(pair for pair in balances.items() if pair[0] is not draft.unit))
    posted_at = max(now.at, head.posted_at)
    entry = Entry(
        bucket=head.bucket,
        seq=head.seq + 1,
        kind=draft.kind,
        wallet=wallet.id,
        partner=wish.partner,
        request_id=wish.request_id,
        request_hash=wish.request_hash,
        points=draft.points,
        postings=postings,
        balance=balances.get(draft.unit) or wallet.of(draft.unit),
        occurred_at=posted_at if wish.occurred_at is None else wish.occurred_at,
        posted_at=posted_at,
        original=draft.original,
        hold_until=draft.hold_until,
        receipt=draft.receipt,
        store=draft.store,
        terminal=draft.terminal,
        unit=draft.unit,
        others=others,
        counterpart=draft.counterpart,
        reason=draft.reason,
        proposed_by=draft.proposed_by,
        approved_by=draft.approved_by,
    )
    entry.hash = chained(head.hash, canonical(entry))
    wallet.fold(entry, balances)
    return entry


def not_there(wish: EntryWish) -> Refusal:
    """No such entry, or not the caller's own: the two look alike."""
    if isinstance(wish, CaptureWish | ReleaseWish | ExtendWish):
        return HoldNotFound(hold=wish.place)
    return EntryNotFound(entry=wish.place)


def bucket_of(wallet: UUID, bucket_count: int) -> int:
    """The bucket a wallet lives in, for ever."""
    return wallet.int % bucket_count
