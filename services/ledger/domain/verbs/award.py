"""Give points: each line becomes a lot of its issuer."""

from __future__ import annotations

from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, EntryKind, LotId, Posting, issued
from services.ledger.domain.points import MOST
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals import AlreadyPastExpiry, BalanceOutOfRange
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import AwardWish, Moment
from shared.refusal import Refusal


def award(wallet: Wallet, wish: AwardWish, now: Moment, programme: Programme, seq: int) -> Draft | Refusal:
    """A lot's id is the place of its award, so the verb has to know the seq it will get."""
    points = sum(line.points for line in wish.lines)
    if wallet.balance.most + points > MOST:
        return BalanceOutOfRange(most=MOST)
    earned_at = now.at if wish.occurred_at is None else wish.occurred_at
    postings = []
    for number, line in enumerate(wish.lines):
        expires_on = line.expires_on or programme.last_day_of_use(earned_at)
        if expires_on and expires_on < now.today:
            return AlreadyPastExpiry(field="lines.expires_on", expires_on=expires_on, today=now.today)
        lot = LotId(seq, number)
        postings.append(Posting(issued(line.issuer), AVAILABLE, line.points, lot, line.issuer, expires_on))
    return Draft(EntryKind.AWARD, points, tuple(postings), receipt=wish.receipt)
