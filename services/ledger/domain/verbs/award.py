"""Give points: each line becomes a lot of its issuer."""

from __future__ import annotations

from collections import Counter

from services.ledger.domain.case import Case
from services.ledger.domain.draft import Draft
from services.ledger.domain.entry import AVAILABLE, PENDING, PLAIN, EntryKind, LotId, LotTerms, Posting, Unit, issued
from services.ledger.domain.moment import DAY
from services.ledger.domain.points import MOST
from services.ledger.domain.refusals.awarding import AlreadyPastExpiry, BalanceOutOfRange, PartnerNetDebitCapExceeded
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import AwardWish, Line
from shared.refusal import Refusal


def award(wallet: Wallet, wish: AwardWish, case: Case) -> Draft | Refusal:
    """A lot's id is the place of its award, so the verb has to know the seq it will get."""
    if (refusal := _out_of_range(wallet, wish)) is not None:
        return refusal
    earned_at = case.now.at if wish.occurred_at is None else wish.occurred_at
    last_day, idle_days = case.programme.last_day_after(case.now.day_of(earned_at)), case.programme.idle_days
    postings = []
    for number, line in enumerate(wish.lines):
        expires_on = line.expires_on or last_day
        if expires_on and expires_on < case.now.today:
            return AlreadyPastExpiry(field="lines.expires_on", expires_on=expires_on, today=case.now.today)
        available_from = _available_from(line, earned_at, case)
        idle = idle_days if line.expires_on is None else None
        plain = available_from is None and idle is None and not line.campaign
        terms = PLAIN if plain else LotTerms(None, available_from, idle, line.campaign)
        account = AVAILABLE if available_from is None else PENDING
        lot = LotId(case.seq, number)
        postings.append(
            Posting(issued(line.issuer), account, line.points, lot, line.issuer, expires_on, line.unit, terms=terms)
        )
    if (refusal := _beyond_allowance(wish, case)) is not None:
        return refusal  # last: a writer looks for allowances only where there is nothing else to say
    unit = wish.lines[0].unit if len(wish.lines) == 1 else min(line.unit for line in wish.lines)
    points = sum([line.points for line in wish.lines if line.unit is unit])
    return Draft(EntryKind.AWARD, points, tuple(postings), receipt=wish.receipt, unit=unit, reason=wish.reason)


def _available_from(line: Line, earned_at: int, case: Case) -> int | None:
    """When the line's points become available; None for at once."""
    when = line.available_from
    if when is None and (days := case.terms.of(line.issuer).pending_days):
        when = earned_at + days * DAY
    return None if when is None or when <= case.now.at else when


def allowance_spent(wish: AwardWish) -> Counter[str]:
    """The redeemable points that an award gives, by issuer: what a net debit cap counts."""
    spent: Counter[str] = Counter()
    for line in wish.lines:
        if line.unit is Unit.POINTS:
            spent[line.issuer] += line.points
    return spent


def _beyond_allowance(wish: AwardWish, case: Case) -> Refusal | None:
    if not case.terms.allowances:
        return None
    for issuer, points in allowance_spent(wish).items():
        left = case.terms.allowances.get(issuer)
        if left is not None and points > left:
            return PartnerNetDebitCapExceeded(issuer=issuer, allowance_points=left, requested=points)
    return None


def _out_of_range(wallet: Wallet, wish: AwardWish) -> Refusal | None:
    given: dict[Unit, int] = {}
    for line in wish.lines:
        given[line.unit] = points = given.get(line.unit, 0) + line.points
        if wallet.of(line.unit).most + points > MOST:
            return BalanceOutOfRange(most=MOST)
    return None
