"""Every step is done twice, by the ledger and by the model, and both must say the same of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.ledger.domain.entry import Entry
from services.ledger.domain.wish import AdjustWish, HoldWish, MergeWish, RedeemWish, TransferWish, Wish
from shared.refusal import Refusal
from tests.ledger.histories.following import Following
from tests.ledger.model import Purse

Verb = Callable[[Purse, int], str]
"""A purse and the number that the entry got -> the reason of the refusal, or nothing."""


class Agreeing(Following):
    """Posts a wish and compares what came of it."""

    def agree(self, name: int, wish: Wish, expected: Verb) -> Entry | None:
        """Both do it, or both refuse it for the same reason. The entry, if there is one."""
        self.failing = True
        purse = self.town.purses[name]
        rehearsed = self.rehearsed(replace(wish, dry=True), self.wallets[name])
        outcome = self.post(wish, self.wallets[name])
        news = self._news(wish.bucket)
        while news and news[0] != outcome:
            self._followed(news.popleft())
        self._nothing_overdue(purse, wish, outcome)
        if isinstance(outcome, Refusal):
            assert expected(purse, -1) == outcome.reason
            self._says_what_is_possible(purse, wish, outcome)
            assert rehearsed is None or repr(rehearsed) == repr(outcome)
        else:
            assert news.popleft() == outcome
            assert expected(purse, outcome.seq) == ""
            self._says_what_there_is(purse, outcome)
            assert rehearsed is None or _as_rehearsed(rehearsed) == _as_rehearsed(outcome)
            purse.acted[outcome.seq] = outcome.partner
            self.posted.append((name, wish, outcome))
            if isinstance(wish, TransferWish | MergeWish):
                self.under_way.append(outcome)
        self._follow(wish.bucket)
        self.failing = False
        return None if isinstance(outcome, Refusal) else outcome

    def _nothing_overdue(self, purse: Purse, wish: Wish, outcome: Entry | Refusal) -> None:
        """Whoever wants points finds those that time has brought; whoever takes everything takes nothing that ended.

        A merge that is refused may have been refused at the door.
        """
        if isinstance(wish, HoldWish | RedeemWish | TransferWish) or (isinstance(wish, AdjustWish) and wish.taking):
            assert not purse.overdue(self.now.date(), self.at, wish.unit.name)
        elif isinstance(wish, MergeWish) and not isinstance(outcome, Refusal):
            assert not purse.overdue(self.now.date(), self.at)

    def _says_what_is_possible(self, purse: Purse, wish: Wish, refusal: Refusal) -> None:
        if isinstance(wish, HoldWish | RedeemWish):
            most = purse.most_redeemable(wish.partner, wish.unit.name, wish.receipt_points, self.now.date())
            assert refusal.facts["max_redeemable_points"] == most


def _as_rehearsed(outcome: Entry | Refusal) -> object:
    """What a dry run can know of an entry."""
    if isinstance(outcome, Refusal):
        return outcome.reason
    return (outcome.kind, outcome.points, outcome.unit, outcome.balance, outcome.others, len(outcome.postings))
