"""The state machine: one wish, applied to one wallet and to the head of its bucket.

The same `fold` that takes the new entry in serves replay and verification, so what was posted and what is rebuilt
cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from services.ledger.domain.chain import canonical, chained
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import Entry
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals import EntryNotFound, HoldNotFound
from services.ledger.domain.verbs.award import award
from services.ledger.domain.verbs.expire import expire
from services.ledger.domain.verbs.refund import refund
from services.ledger.domain.verbs.reverse import reverse
from services.ledger.domain.verbs.settle_hold import capture, expire_hold, release
from services.ledger.domain.verbs.spend import hold, redeem
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import (
    AwardWish,
    CaptureWish,
    EntryWish,
    ExpireHoldWish,
    ExpireLotsWish,
    HoldWish,
    Moment,
    RedeemWish,
    RefundWish,
    ReleaseWish,
    ReverseWish,
    Wish,
)
from shared.refusal import Refusal


@dataclass(slots=True)
class Head:
    """The newest entry of a bucket: the next one takes `seq + 1` and is chained to `hash`."""

    bucket: int
    seq: int
    hash: bytes


def apply(
    head: Head,
    wallet: Wallet,
    wish: Wish,
    now: Moment,
    programme: Programme,
    original: Entry | None = None,
) -> Entry | Refusal:
    """Decide, and on a yes move the head and the wallet on. On a refusal nothing has changed.

    `original` is the entry that an EntryWish names, None where there is none.
    """
    draft = _decide(head, wallet, wish, now, programme, original)
    if isinstance(draft, Refusal):
        return draft
    entry = _placed(draft, head, wallet, wish, now)
    wallet.fold(entry)
    head.seq, head.hash = entry.seq, entry.hash
    return entry


def _decide(
    head: Head, wallet: Wallet, wish: Wish, now: Moment, programme: Programme, original: Entry | None
) -> Draft | Refusal:
    match wish:
        case AwardWish():
            return award(wallet, wish, now, programme, head.seq + 1)
        case HoldWish():
            return hold(wallet, wish, now)
        case RedeemWish():
            return redeem(wallet, wish, now)
        case ExpireLotsWish():
            return expire(wallet, now)
        case ExpireHoldWish():
            return expire_hold(wallet, wish, now)
        case EntryWish() if original is not None and original.partner == wish.partner:
            return _decide_on(original, wallet, wish, now, programme)
        case EntryWish():
            return not_there(wish)
        case _:
            raise TypeError(f"no verb for {type(wish).__name__}")


def _decide_on(original: Entry, wallet: Wallet, wish: EntryWish, now: Moment, programme: Programme) -> Draft | Refusal:
    """The verbs that name an earlier entry of the same partner."""
    match wish:
        case CaptureWish():
            return capture(wallet, wish, now)
        case ReleaseWish():
            return release(wallet, wish, now)
        case ReverseWish():
            return reverse(wallet, wish, original, now)
        case RefundWish():
            return refund(wallet, wish, now, programme)
        case _:
            raise TypeError(f"no verb for {type(wish).__name__}")


def _placed(draft: Draft, head: Head, wallet: Wallet, wish: Wish, now: Moment) -> Entry:
    entry = Entry(
        bucket=head.bucket,
        seq=head.seq + 1,
        kind=draft.kind,
        wallet=wallet.id,
        partner=wish.partner,
        request_id=wish.request_id,
        request_hash=wish.request_hash,
        points=draft.points,
        postings=draft.postings,
        balance=wallet.after(draft.postings),
        occurred_at=now.at if wish.occurred_at is None else wish.occurred_at,
        posted_at=now.at,
        original=draft.original,
        hold_until=draft.hold_until,
        receipt=draft.receipt,
        store=draft.store,
        terminal=draft.terminal,
    )
    return replace(entry, hash=chained(head.hash, canonical(entry)))


def not_there(wish: EntryWish) -> Refusal:
    """No such entry, or not the caller's own: the two look alike."""
    if isinstance(wish, CaptureWish | ReleaseWish):
        return HoldNotFound(hold=wish.place)
    return EntryNotFound(entry=wish.place)


def bucket_of(wallet: UUID, bucket_count: int) -> int:
    """The bucket a wallet lives in, for ever."""
    return wallet.int % bucket_count
