"""Points that go: reserved first or at once, and refunded."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from services.ledger.domain.entry import EntryKind, Unit
from services.ledger.domain.wish import CaptureWish, ExtendWish, HoldWish, RedeemWish, RefundWish, ReleaseWish
from tests.ledger.histories import drawn
from tests.ledger.histories.agreeing import Agreeing
from tests.ledger.histories.conditions import when


class Spending(Agreeing):
    """Holds with what becomes of them, redemptions, refunds."""

    @rule(
        spender=drawn.spenders,
        partner=drawn.partners,
        unit=drawn.units,
        wanted=drawn.points,
        receipt=drawn.receipts,
        minutes=drawn.minutes,
    )
    @when(lambda self: self.anything_free())
    def hold(self, spender: int, partner: str, unit: Unit, wanted: int, receipt: int | None, minutes: int) -> None:
        purse = self.spender(spender)
        ttl = minutes * 60_000_000
        wish = HoldWish(
            **self._base(purse, self.named(partner)),
            wallet=self.wallets[purse],
            points=wanted,
            ttl=ttl,
            unit=unit,
            receipt_points=receipt,
        )
        who, today, until = self.named(partner), self.now.date(), self.at + ttl
        self.agree(purse, wish, lambda p, seq: p.hold(seq, who, unit.name, wanted, receipt, today, until))

    @rule(spender=drawn.spenders, partner=drawn.partners, unit=drawn.units, wanted=drawn.points, receipt=drawn.receipts)
    @when(lambda self: self.anything_free())
    def redeem(self, spender: int, partner: str, unit: Unit, wanted: int, receipt: int | None) -> None:
        purse = self.spender(spender)
        wish = RedeemWish(
            **self._base(purse, self.named(partner)),
            wallet=self.wallets[purse],
            points=wanted,
            unit=unit,
            receipt_points=receipt,
        )
        who, today = self.named(partner), self.now.date()
        self.agree(purse, wish, lambda p, seq: p.redeem(seq, who, unit.name, wanted, receipt, today))

    @rule(pick=drawn.picks, actor=drawn.actors, part=drawn.parts, keep=st.booleans())
    @when(lambda self: self.any_of(EntryKind.HOLD))
    def capture(self, pick: int, actor: str | None, part: int | None, keep: bool) -> None:
        purse, hold, who = self.picked(pick, actor, EntryKind.HOLD)
        wish = CaptureWish(**self._base(purse, who), original=hold, points=part, keep_open=keep)
        now = self.moment
        self.agree(purse, wish, lambda p, seq: p.capture(seq, hold, who, part, keep, now.today, now.at))

    @rule(pick=drawn.picks, actor=drawn.actors, part=drawn.parts)
    @when(lambda self: self.any_of(EntryKind.HOLD))
    def release(self, pick: int, actor: str | None, part: int | None) -> None:
        purse, hold, who = self.picked(pick, actor, EntryKind.HOLD)
        wish = ReleaseWish(**self._base(purse, who), original=hold, points=part)
        now = self.moment
        self.agree(purse, wish, lambda p, _: p.release(hold, who, part, now.today, now.at))

    @rule(pick=drawn.picks, actor=drawn.actors, minutes=drawn.minutes)
    @when(lambda self: self.any_of(EntryKind.HOLD))
    def extend(self, pick: int, actor: str | None, minutes: int) -> None:
        purse, hold, who = self.picked(pick, actor, EntryKind.HOLD)
        ttl = minutes * 60_000_000
        wish = ExtendWish(**self._base(purse, who), original=hold, ttl=ttl)
        at = self.at
        self.agree(purse, wish, lambda p, _: p.extend(hold, who, at + ttl, at))

    @rule(pick=drawn.picks, actor=drawn.actors, part=drawn.parts)
    @when(lambda self: self.any_of(EntryKind.REDEMPTION, EntryKind.CAPTURE))
    def refund(self, pick: int, actor: str | None, part: int | None) -> None:
        purse, spent, who = self.picked(pick, actor, EntryKind.REDEMPTION, EntryKind.CAPTURE)
        wish = RefundWish(**self._base(purse, who), original=spent, points=part)
        self.agree(purse, wish, lambda p, _: p.refund(spent, who, part, self.now.date()))
