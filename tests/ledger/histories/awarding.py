"""Points that come, and what makes them usable or takes them back."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from services.ledger.domain.entry import EntryKind, Unit
from services.ledger.domain.wish import AwardWish, Line, ReleasePendingWish, ReverseWish
from tests.ledger.histories import drawn
from tests.ledger.histories.agreeing import Agreeing
from tests.ledger.histories.conditions import when
from tests.ledger.model import Line as ModelLine


class Awarding(Agreeing):
    """Awards, reversals, and the release of what is pending."""

    @rule(purse=drawn.purses, partner=drawn.partners, lines=drawn.lines, ago=st.sampled_from([None, None, 5, 60]))
    def award(self, purse: int, partner: str, lines: list[drawn.Asked], ago: int | None) -> None:
        asked = list({line.key: line for line in (self._line(line, self.named(partner)) for line in lines)}.values())
        occurred_at = None if ago is None else self.at - ago * drawn.HOUR
        earned_at = self.at if occurred_at is None else occurred_at
        wish = AwardWish(
            **self._base(purse, self.named(partner)),
            occurred_at=occurred_at,
            wallet=self.wallets[purse],
            lines=tuple(asked),
        )
        told = [_told(line) for line in asked]
        actor = self.named(partner)
        self.agree(purse, wish, lambda _, seq: self.town.award(purse, seq, actor, told, earned_at, self.moment))

    @rule(purse=drawn.purses, partner=drawn.partners, points=drawn.many)
    def plain_award(self, purse: int, partner: str, points: int) -> None:
        self.award(purse, partner, [drawn.Asked(partner, Unit.POINTS, "", points, None, None)], None)

    @rule(purse=drawn.purses, issuer=drawn.partners, points=drawn.many, lasts=st.integers(0, 6))
    def award_of_another(self, purse: int, issuer: str, points: int, lasts: int) -> None:
        actor = drawn.PARTNERS[1 - drawn.PARTNERS.index(issuer)]
        self.award(purse, actor, [drawn.Asked(issuer, Unit.POINTS, "", points, lasts, None)], None)

    def _line(self, line: drawn.Asked, who: str) -> Line:
        last_day = None if line.lasts is None else self.now.date() + timedelta(days=line.lasts)
        ready_at = None if line.waits is None else self.at + line.waits * drawn.HOUR
        return Line(self.issuer(line.issuer, who), line.points, last_day, line.unit, ready_at, line.campaign)

    @rule(pick=drawn.picks, actor=drawn.actors, lines=st.dictionaries(drawn.keys, drawn.points, max_size=2))
    @when(lambda self: self.any_of(EntryKind.AWARD))
    def reverse(self, pick: int, actor: str | None, lines: dict[tuple[str, Unit, str], int]) -> None:
        purse, award, who = self.picked(pick, actor, EntryKind.AWARD)
        listed = [
            Line(self.issuer(issuer, who), part, unit=unit, campaign=campaign)
            for (issuer, unit, campaign), part in lines.items()
        ]
        named = tuple({line.key: line for line in listed}.values())
        wish = ReverseWish(**self._base(purse, who), original=award, lines=named)
        wanted = {(line.issuer, line.unit.name, line.campaign): line.points for line in named}
        self.agree(purse, wish, lambda p, _: p.reverse(award, who, wanted, self.now.date()))

    @rule(pick=drawn.picks, actor=drawn.actors)
    @when(lambda self: self.any_of(EntryKind.AWARD))
    def make_ready(self, pick: int, actor: str | None) -> None:
        purse, award, who = self.picked(pick, actor, EntryKind.AWARD)
        wish = ReleasePendingWish(**self._base(purse, who), original=award)
        self.agree(purse, wish, lambda p, _: p.make_ready(award, who, self.now.date()))


def _told(line: Line) -> ModelLine:
    unit, ready_at = line.unit.name, line.available_from
    return ModelLine(unit, line.issuer, line.points, line.expires_on, ready_at, None, line.campaign)
