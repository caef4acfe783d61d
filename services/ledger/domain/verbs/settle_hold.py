"""Go on with a hold: capture it, wholly or in part, give its points back, or let it live longer."""

from __future__ import annotations

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import HELD, EntryKind, LotId, Place, Posting, redeemed
from services.ledger.domain.lots import Hold, HoldState, within
from services.ledger.domain.refusals.clock import NothingDue
from services.ledger.domain.refusals.holds import (
    CaptureExceedsHold,
    HoldClosed,
    HoldEndsLater,
    HoldExpired,
    HoldNotFound,
    ReleaseExceedsHold,
)
from services.ledger.domain.verbs.giving_back import given_back
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import CaptureWish, EntryWish, ExpireHoldWish, ExtendWish, ReleaseWish
from shared.instants import instant
from shared.refusal import Refusal

_Parts = list[tuple[LotId, int]]


def capture(wallet: Wallet, wish: CaptureWish, case: Case) -> Draft | Refusal:
    """Spend from the first lot on. What is not captured goes back in the same entry, unless the hold is kept open."""
    hold = _open_hold(wallet, wish, case)
    if isinstance(hold, Refusal):
        return hold
    points = hold.left if wish.points is None else wish.points
    if points > hold.left:
        return CaptureExceedsHold(hold=wish.place, held=hold.left, requested=points)
    sink = redeemed(wish.partner)
    parts = [(wallet.lots[id_], part) for id_, part in within(hold.pins_left, 0, points)]
    spent = [Posting(HELD, sink, part, lot.id, lot.issuer, lot.expires_on, lot.unit) for lot, part in parts]
    rest: _Parts = [] if wish.keep_open else within(hold.pins_left, points, hold.left)
    return Draft(
        EntryKind.CAPTURE,
        points,
        (*spent, *_back(wallet, rest, case)),
        original=hold.seq,
        receipt=wish.receipt,
        unit=parts[0][0].unit,
    )


def release(wallet: Wallet, wish: ReleaseWish, case: Case) -> Draft | Refusal:
    """Give all or part of it back, as the partner asks: what would be captured last goes back first."""
    hold = _open_hold(wallet, wish, case)
    if isinstance(hold, Refusal):
        return hold
    points = hold.left if wish.points is None else wish.points
    if points > hold.left:
        return ReleaseExceedsHold(hold=wish.place, held=hold.left, requested=points)
    return _released(wallet, hold, points, case)


def extend(wallet: Wallet, wish: ExtendWish, case: Case) -> Draft | Refusal:
    """Let it end later; never earlier."""
    hold = _open_hold(wallet, wish, case)
    if isinstance(hold, Refusal):
        return hold
    until = case.now.at + wish.ttl
    if until <= hold.expires_at:
        return HoldEndsLater(hold=wish.place, expires_at=instant(hold.expires_at).isoformat())
    unit = wallet.lots[hold.pins[0][0]].unit
    return Draft(EntryKind.EXTENSION, hold.left, (), original=hold.seq, hold_until=until, unit=unit)


def expire_hold(wallet: Wallet, wish: ExpireHoldWish, case: Case) -> Draft | Refusal:
    """Give all of it back because its time is up."""
    hold = wallet.holds.get(wish.original)
    if hold is None or not hold.due(case.now.at):
        return NothingDue()
    return _released(wallet, hold, hold.left, case)


def _open_hold(wallet: Wallet, wish: EntryWish, case: Case) -> Hold | Refusal:
    hold = wallet.holds.get(wish.original)
    if hold is None:
        return HoldNotFound(hold=wish.place)
    if hold.state is not HoldState.CAPTURED and hold.expires_at <= case.now.at:
        return HoldExpired(hold=wish.place, expired_at=instant(hold.expires_at).isoformat())
    if hold.state is not HoldState.OPEN:
        return HoldClosed(hold=Place(wallet.bucket, hold.seq), state=hold.state.name.lower())
    return hold


def _released(wallet: Wallet, hold: Hold, points: int, case: Case) -> Draft:
    parts = within(hold.pins_left, hold.left - points, points)
    unit = wallet.lots[hold.pins[0][0]].unit
    return Draft(EntryKind.RELEASE, points, _back(wallet, parts, case), original=hold.seq, unit=unit)


def _back(wallet: Wallet, parts: _Parts, case: Case) -> tuple[Posting, ...]:
    return given_back(wallet, HELD, [(wallet.lots[id_], part) for id_, part in parts], case.now)
