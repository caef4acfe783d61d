"""Points that change their wallet, or are put right by hand."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from services.ledger.domain.entry import Entry, Unit
from services.ledger.domain.wish import AdjustWish, MergeWish, TransferWish
from tests.ledger.histories import drawn
from tests.ledger.histories.agreeing import Agreeing
from tests.ledger.histories.conditions import when
from tests.ledger.model import Line as ModelLine
from tests.ledger.model import Purse

USERS = ("users/one", "users/two")


class Moving(Agreeing):
    """Transfers and merges, in two legs, and adjustments."""

    @rule(
        spender=drawn.spenders,
        other=drawn.others,
        partner=drawn.partners,
        unit=drawn.units,
        wanted=drawn.points,
        lost=st.booleans(),
    )
    @when(lambda self: self.anything_free())
    def transfer(self, spender: int, other: int, partner: str, unit: Unit, wanted: int, lost: bool) -> None:
        """`lost`: the ledger dies between the legs, and the clock has to deliver."""
        purse = self.spender(spender)
        to = (purse + other) % drawn.PURSES
        wish = TransferWish(
            **self._base(purse, self.named(partner)),
            wallet=self.wallets[purse],
            to=self._place(to),
            points=wanted,
            unit=unit,
        )
        today = self.now.date()
        out = self.agree(purse, wish, lambda _, seq: self.town.send(purse, to, seq, unit.name, wanted, today))
        self._delivered(out, lost)

    @rule(purse=drawn.purses, other=drawn.others, lost=st.booleans(), really=drawn.rarely)
    @when(lambda self: len(self.posted) > 5)
    def merge(self, purse: int, other: int, lost: bool, really: bool) -> None:
        to = (purse + other) % drawn.PURSES
        if not really or self.town.would_go_round(purse, to):
            return
        wish = MergeWish(**self._base(purse, "operator"), wallet=self.wallets[purse], to=self._place(to))
        out = self.agree(purse, wish, lambda _, seq: self.town.merge(purse, to, seq))
        self._delivered(out, lost)

    def _delivered(self, out: Entry | None, lost: bool) -> None:
        if out is not None and not lost:
            self.failing = True
            self.deliver(out)
            assert out.counterpart
            self._follow(out.counterpart.bucket)
            assert out not in self.under_way
            self.failing = False

    @rule(
        purse=drawn.purses,
        issuer=drawn.partners,
        unit=drawn.units,
        part=drawn.points,
        taking=st.booleans(),
        lasts=st.one_of(st.none(), st.integers(-1, 6)),
        same=st.sampled_from([False, False, False, True]),
    )
    def adjust(
        self, purse: int, issuer: str, unit: Unit, part: int, taking: bool, lasts: int | None, same: bool
    ) -> None:
        last_day = None if lasts is None else self.now.date() + timedelta(days=lasts)
        of = self.named(issuer)
        wish = AdjustWish(
            **self._base(purse, "operator"),
            wallet=self.wallets[purse],
            issuer=of,
            points=part,
            taking=taking,
            reason="GOODWILL",
            proposed_by=USERS[0],
            approved_by=USERS[0 if same else 1],
            unit=unit,
            expires_on=last_day,
        )
        line = ModelLine(unit.name, of, part, last_day)

        def adjusted(found: Purse, seq: int) -> str:
            if same:
                return "ADJUSTMENT_NEEDS_SECOND_PERSON"
            if taking:
                return found.take(of, unit.name, part, self.now.date())
            return self.town.give(purse, seq, line, self.moment)

        self.agree(purse, wish, adjusted)
