"""End a hold: capture it, wholly or in part, or give its points back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, HELD, EntryKind, Place, Posting, expired, redeemed
from services.ledger.domain.refusals import CaptureExceedsHold, HoldClosed, HoldExpired, HoldNotFound, NothingDue
from services.ledger.domain.wallet import Hold, HoldState, Lot, Wallet, portions
from services.ledger.domain.wish import CaptureWish, EntryWish, ExpireHoldWish, Moment, ReleaseWish
from shared.instants import instant
from shared.refusal import Refusal


def capture(wallet: Wallet, wish: CaptureWish, now: Moment) -> Draft | Refusal:
    """Spend from the first lot on; what is not captured goes back in the same entry."""
    hold = _open_hold(wallet, wish, now)
    if isinstance(hold, Refusal):
        return hold
    points = hold.points if wish.points is None else wish.points
    if points > hold.points:
        return CaptureExceedsHold(hold=wish.place, held=hold.points, requested=points)
    pinned = [(wallet.lots[lot], part) for lot, part in hold.pins]
    sink = redeemed(wish.partner)
    spent = [Posting(HELD, sink, part, lot.id, lot.issuer, lot.expires_on) for lot, part in portions(pinned, points)]
    rest = _after(pinned, points)
    return Draft(
        EntryKind.CAPTURE,
        points,
        (*spent, *_given_back(rest, now.today)),
        original=hold.seq,
        receipt=wish.receipt,
    )


def release(wallet: Wallet, wish: ReleaseWish, now: Moment) -> Draft | Refusal:
    """Give all of it back, as the partner asks."""
    hold = _open_hold(wallet, wish, now)
    return hold if isinstance(hold, Refusal) else _released(wallet, hold, now)


def expire_hold(wallet: Wallet, wish: ExpireHoldWish, now: Moment) -> Draft | Refusal:
    """Give all of it back because its time is up."""
    hold = wallet.holds.get(wish.original)
    if hold is None or not hold.due(now.at):
        return NothingDue()
    return _released(wallet, hold, now)


def _open_hold(wallet: Wallet, wish: EntryWish, now: Moment) -> Hold | Refusal:
    hold = wallet.holds.get(wish.original)
    if hold is None:
        return HoldNotFound(hold=wish.place)
    if hold.state is not HoldState.CAPTURED and hold.expires_at <= now.at:
        return HoldExpired(hold=wish.place, expired_at=instant(hold.expires_at).isoformat())
    if hold.state is not HoldState.OPEN:
        return HoldClosed(hold=Place(wallet.bucket, hold.seq), state=hold.state.name.lower())
    return hold


def _released(wallet: Wallet, hold: Hold, now: Moment) -> Draft:
    pinned = [(wallet.lots[lot], part) for lot, part in hold.pins]
    return Draft(EntryKind.RELEASE, hold.points, _given_back(pinned, now.today), original=hold.seq)


def _given_back(parts: Iterable[tuple[Lot, int]], today: date) -> tuple[Posting, ...]:
    """Back to the lot; where the lot's last day passed meanwhile, its points end here and now."""
    return tuple(
        Posting(
            HELD,
            expired(lot.issuer) if lot.expires_on and lot.expires_on < today else AVAILABLE,
            points,
            lot.id,
            lot.issuer,
            lot.expires_on,
        )
        for lot, points in parts
    )


def _after(parts: Iterable[tuple[Lot, int]], points: int) -> list[tuple[Lot, int]]:
    """What is left of the parts once `points` are taken from the front."""
    rest = []
    for lot, part in parts:
        taken = min(points, part)
        points -= taken
        if part > taken:
            rest.append((lot, part - taken))
    return rest
