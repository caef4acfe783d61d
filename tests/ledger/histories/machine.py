"""Random histories of all verbs, played on the model and on a ledger beside it: both must agree after every step.

The machine knows neither the pure core nor PostgreSQL; a subclass says how its ledger applies a wish (`beside.py`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from services.ledger.domain.wish import WalletWish
from tests.ledger.histories import drawn
from tests.ledger.histories.awarding import Awarding
from tests.ledger.histories.conditions import when
from tests.ledger.histories.flows import flows_of
from tests.ledger.histories.moving import Moving
from tests.ledger.histories.spending import Spending
from tests.ledger.histories.town import BUCKETS
from tests.ledger.model import Rules, Town, seen

BUCKET_COUNT = 64


class Histories(Awarding, Spending, Moving):
    """All verbs, contracts that change, time that passes; and what holds after every step."""

    @initialize(setting=drawn.settings_of_programmes, rules=st.tuples(drawn.rules, drawn.rules), first=drawn.many)
    def begin(self, setting: drawn.Setting, rules: tuple[Rules, Rules], first: int) -> None:
        setting = self.setting_of(setting)
        self.town = Town(
            setting.ending,
            timedelta(days=self.grace_days),
            setting.oldest_first,
            setting.send_most,
            setting.send_most_a_day,
            self.strict,
        )
        for number in range(drawn.PURSES):
            bucket = BUCKETS[number % len(BUCKETS)]
            self.wallets.append(UUID(int=uuid4().int // BUCKET_COUNT // 4 * BUCKET_COUNT + bucket))
            self.town.settle_in(bucket)
        self.open(setting)
        for partner, agreed in zip(drawn.PARTNERS, rules, strict=True):
            self.contract(partner, agreed)
        for purse in range(drawn.PURSES):
            self.plain_award(purse, drawn.PARTNERS[purse % 2], first)

    def contract(self, partner: str, rules: Rules) -> None:
        self.town.rules[self.named(partner)] = rules
        self.agree_on(self.named(partner), rules)

    @rule(partner=drawn.partners, part=st.integers(0, 300))
    def cap(self, partner: str, part: int) -> None:
        self.town.caps[self.named(partner)] = part
        self.allow(self.named(partner), part)

    @rule(partner=drawn.partners, rules=drawn.rules)
    def another_contract(self, partner: str, rules: Rules) -> None:
        self.contract(partner, rules)

    @rule(hours=st.integers(1, 60), swept=st.booleans())
    def time_passes(self, hours: int, swept: bool) -> None:
        """The clock's work may come late: then whoever touches a wallet does it first."""
        self.now += timedelta(hours=hours)
        if swept:
            self.all_swept()

    def all_swept(self) -> None:
        """Everything that is due is done, whatever became due by it too."""
        self.failing = True
        self.sweep()
        self._follow(*BUCKETS)
        assert not self.under_way, "something is still under way"
        assert not self.town.behind(), "something did not follow a merge"
        for purse in self.town.purses:
            assert not purse.overdue(self.now.date(), self.at)
        self.failing = False

    @rule()
    def restarted(self) -> None:
        self.restart()

    @rule(pick=drawn.picks)
    def say_it_again(self, pick: int) -> None:
        """A repeat changes nothing, whatever happened since."""
        purse, wish, entry = self.posted[pick % len(self.posted)]
        self.repeated(wish, self.wallets[purse], entry)

    @rule(pick=drawn.picks)
    @when(lambda self: self.town.moved)
    def use_an_id_again(self, pick: int) -> None:
        """A request id moves points once, also when its wallet has become part of another one."""
        travelling = {self._purse(out.wallet) for out in self.under_way}
        known = [(wish, entry, self.town.survivor(purse, travelling)) for purse, wish, entry in self.posted]
        moved = [
            (wish, entry, name)
            for wish, entry, name in known
            if name is not None and isinstance(wish, WalletWish) and wish.wallet != self.wallets[name]
        ]
        if moved:
            wish, entry, name = moved[pick % len(moved)]
            bucket, wallet = self.town.purses[name].bucket, self.wallets[name]
            self.repeated(replace(wish, bucket=bucket, wallet=wallet), wallet, entry)

    @invariant()
    def both_agree(self) -> None:
        """What they say differs also while the clock's work goes on between two looks: then it is taken in first."""
        if self.wallets:
            self.failing = True
            self.catch_up()
            while (unlike := self._unlike()) and self.has_news():
                self.catch_up()
            assert not unlike, f"the ledger's, then the model's: {unlike}"
            self.failing = False

    def _unlike(self) -> str:
        pairs = zip(self.wallets, self.town.purses, strict=True)
        return "".join(self.look(wallet).unlike(seen(purse)) for wallet, purse in pairs)

    @invariant()
    def nothing_is_lost(self) -> None:
        if self.wallets:
            self.town.check_conservation()

    def teardown(self) -> None:
        """Unless a step failed: then that is what there is to tell."""
        if self.wallets and not self.failing:
            entries = [entry for bucket in BUCKETS for entry in self.since(bucket, self.began[bucket])]
            found = flows_of(entry for entry in entries if entry.wallet in self.wallets)
            expected = {flow: points for flow, points in self.town.flows.items() if points}
            assert found == expected, f"the ledger's {found}, the model's {expected}"
