"""Random histories of all verbs, played on the model and on a ledger beside it: both must agree after every step.

The machine knows neither the pure core nor PostgreSQL; a subclass says how its ledger applies a wish.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.ledger.domain.entry import AccountKind, Counterpart, Entry, EntryKind, Unit
from services.ledger.domain.wish import (
    AdjustWish,
    AwardWish,
    CaptureWish,
    ExtendWish,
    HoldWish,
    Line,
    MergeWish,
    RedeemWish,
    RefundWish,
    ReleasePendingWish,
    ReleaseWish,
    ReverseWish,
    TransferWish,
    WalletWish,
    Wish,
)
from shared.instants import micros
from shared.refusal import Refusal
from tests.ledger.histories import drawn
from tests.ledger.histories.flows import flows_of
from tests.ledger.model import Line as ModelLine
from tests.ledger.model import Now, Purse, Rules, Seen, Town, seen

Verb = Callable[[Purse, int], str]
"""A purse and the number that the entry got -> the reason of the refusal, or nothing."""

BUCKETS = (7, 6)
BUCKET_COUNT = 64
NOWHERE = 10**9
GRACE_DAYS = 3
BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
USERS = ("users/one", "users/two")


class Base(TypedDict):
    """What every wish carries."""

    bucket: int
    partner: str
    request_id: UUID


class Histories(RuleBasedStateMachine):
    """Wallets in two buckets, two partners, and time that goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGINNING
        self.wallets: list[UUID] = []
        self.posted: list[tuple[int, Wish, Entry]] = []
        self.under_way: list[Entry] = []
        self.failing = False
        self.began = dict.fromkeys(BUCKETS, 0)
        self.heads = dict.fromkeys(BUCKETS, 0)

    # What a subclass says about its ledger.

    def open(self, setting: drawn.Setting) -> None:
        """Get ready, once the wallets have their ids."""

    def post(self, wish: Wish, wallet: UUID) -> Entry | Refusal:
        """As much of the clock's work on the wallet as the wish needs comes first."""
        raise NotImplementedError

    def deliver(self, out: Entry) -> None:
        """The leg that arrives."""
        raise NotImplementedError

    def sweep(self) -> None:
        """The clock's work everywhere, until nothing is due."""
        raise NotImplementedError

    def agree_on(self, partner: str, rules: Rules) -> None:
        """A partner's contract changes."""
        raise NotImplementedError

    def allow(self, partner: str, points: int) -> None:
        """A partner may award so many points from now on."""
        raise NotImplementedError

    def look(self, wallet: UUID) -> Seen:
        raise NotImplementedError

    def since(self, bucket: int, seq: int) -> Sequence[Entry]:
        """What was posted there after that entry."""
        raise NotImplementedError

    def restart(self) -> None:
        """What remembers nothing needs no restart."""

    def rehearsed(self, wish: Wish, wallet: UUID) -> Entry | Refusal | None:
        """The answer of a dry run, where the ledger knows how to."""

    def repeated(self, wish: Wish, wallet: UUID, entry: Entry) -> None:
        """The pure core knows no repeats; a ledger with a memory checks them here."""

    def named(self, partner: str) -> str:
        """The partner's id, where the ledger has its own."""
        return partner

    def issuer(self, issuer: str, who: str) -> str:
        """In whose name somebody may award."""
        return self.named(issuer)

    def catch_up(self) -> None:
        """Where the clock works by itself, take in what it has done."""

    grace_days = GRACE_DAYS
    strict = False
    """Whether the ledger is behind its door: the operator is no till, and nothing is merged into a merged wallet."""

    def setting_of(self, drawn_: drawn.Setting) -> drawn.Setting:
        """The programme, where it can be chosen."""
        return drawn_

    # What happens.

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

    @property
    def at(self) -> int:
        return micros(self.now)

    @property
    def moment(self) -> Now:
        return Now(self.at, self.now.date())

    def contract(self, partner: str, rules: Rules) -> None:
        self.town.rules[self.named(partner)] = rules
        self.agree_on(self.named(partner), rules)

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
        told = [
            ModelLine(
                line.unit.name, line.issuer, line.points, line.expires_on, line.available_from, None, line.campaign
            )
            for line in asked
        ]
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

    @precondition(lambda self: self.anything_free())
    @rule(
        spender=drawn.spenders,
        partner=drawn.partners,
        unit=drawn.units,
        wanted=drawn.points,
        receipt=drawn.receipts,
        minutes=drawn.minutes,
    )
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

    @precondition(lambda self: self.anything_free())
    @rule(spender=drawn.spenders, partner=drawn.partners, unit=drawn.units, wanted=drawn.points, receipt=drawn.receipts)
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

    @precondition(lambda self: self.any_of(EntryKind.HOLD))
    @rule(pick=drawn.picks, actor=drawn.actors, part=drawn.parts, keep=st.booleans())
    def capture(self, pick: int, actor: str | None, part: int | None, keep: bool) -> None:
        purse, hold, who = self.picked(pick, actor, EntryKind.HOLD)
        wish = CaptureWish(**self._base(purse, who), original=hold, points=part, keep_open=keep)
        now = self.moment
        self.agree(purse, wish, lambda p, seq: p.capture(seq, hold, who, part, keep, now.today, now.at))

    @precondition(lambda self: self.any_of(EntryKind.HOLD))
    @rule(pick=drawn.picks, actor=drawn.actors, part=drawn.parts)
    def release(self, pick: int, actor: str | None, part: int | None) -> None:
        purse, hold, who = self.picked(pick, actor, EntryKind.HOLD)
        wish = ReleaseWish(**self._base(purse, who), original=hold, points=part)
        now = self.moment
        self.agree(purse, wish, lambda p, _: p.release(hold, who, part, now.today, now.at))

    @precondition(lambda self: self.any_of(EntryKind.HOLD))
    @rule(pick=drawn.picks, actor=drawn.actors, minutes=drawn.minutes)
    def extend(self, pick: int, actor: str | None, minutes: int) -> None:
        purse, hold, who = self.picked(pick, actor, EntryKind.HOLD)
        ttl = minutes * 60_000_000
        wish = ExtendWish(**self._base(purse, who), original=hold, ttl=ttl)
        at = self.at
        self.agree(purse, wish, lambda p, _: p.extend(hold, who, at + ttl, at))

    @precondition(lambda self: self.any_of(EntryKind.REDEMPTION, EntryKind.CAPTURE))
    @rule(pick=drawn.picks, actor=drawn.actors, part=drawn.parts)
    def refund(self, pick: int, actor: str | None, part: int | None) -> None:
        purse, spent, who = self.picked(pick, actor, EntryKind.REDEMPTION, EntryKind.CAPTURE)
        wish = RefundWish(**self._base(purse, who), original=spent, points=part)
        self.agree(purse, wish, lambda p, _: p.refund(spent, who, part, self.now.date()))

    @precondition(lambda self: self.any_of(EntryKind.AWARD))
    @rule(pick=drawn.picks, actor=drawn.actors, lines=st.dictionaries(drawn.keys, drawn.points, max_size=2))
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

    @precondition(lambda self: self.any_of(EntryKind.AWARD))
    @rule(pick=drawn.picks, actor=drawn.actors)
    def make_ready(self, pick: int, actor: str | None) -> None:
        purse, award, who = self.picked(pick, actor, EntryKind.AWARD)
        wish = ReleasePendingWish(**self._base(purse, who), original=award)
        self.agree(purse, wish, lambda p, _: p.make_ready(award, who, self.now.date()))

    @precondition(lambda self: self.anything_free())
    @rule(
        spender=drawn.spenders,
        other=drawn.others,
        partner=drawn.partners,
        unit=drawn.units,
        wanted=drawn.points,
        lost=st.booleans(),
    )
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

    @precondition(lambda self: len(self.posted) > 5)
    @rule(purse=drawn.purses, other=drawn.others, lost=st.booleans(), really=drawn.rarely)
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
            for entry in self._news(out.counterpart.bucket):
                self._followed(entry)
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
        for entry in self._in_order():
            self._followed(entry)
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

    @precondition(lambda self: self.town.moved)
    @rule(pick=drawn.picks)
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
        if self.wallets:
            self.failing = True
            self.catch_up()
        for wallet, purse in zip(self.wallets, self.town.purses if self.wallets else [], strict=True):
            found, expected = self.look(wallet), seen(purse)
            self.failing = found != expected
            assert not self.failing, f"the ledger's, then the model's: {found.unlike(expected)}"

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

    # How.

    def _base(self, purse: int, partner: str) -> Base:
        return {"bucket": self.town.purses[purse].bucket, "partner": partner, "request_id": uuid4()}

    def _place(self, purse: int) -> Counterpart:
        return Counterpart(self.town.purses[purse].bucket, self.wallets[purse])

    def _purse(self, wallet: UUID) -> int:
        return self.wallets.index(wallet)

    def any_of(self, *kinds: EntryKind) -> bool:
        """Whether a verb for such entries has anything to do."""
        return any(entry.kind in kinds for _, _, entry in self.posted)

    def anything_free(self) -> bool:
        return any(purse.lying("free") for purse in self.town.purses)

    def spender(self, number: int) -> int:
        """A purse with free points where there is one, or just any."""
        purse, any_ = number % drawn.PURSES, number >= 3 * drawn.PURSES
        rich = [name for name, found in enumerate(self.town.purses) if found.lying("free")]
        return purse if any_ or not rich else rich[purse % len(rich)]

    def picked(self, pick: int, actor: str | None, *kinds: EntryKind) -> tuple[int, int, str]:
        """A purse, the seq of an entry and who acts: mostly on an entry that the verb is for, sometimes on any, or on
        none that ever was."""
        fitting = [found for found in self.posted if found[2].kind in kinds]
        choice = fitting if pick % 8 else self.posted
        if pick % 32 == 1:
            return 0, NOWHERE, self.named(actor or drawn.PARTNERS[0])
        purse, _, entry = choice[pick // 8 % len(choice)]
        own = actor is None and not (self.strict and entry.partner == "operator")
        return purse, entry.seq, entry.partner if own else self.named(actor or drawn.PARTNERS[0])

    def agree(self, name: int, wish: Wish, expected: Verb) -> Entry | None:
        """Both do it, or both refuse it for the same reason. The entry, if there is one."""
        self.failing = True
        purse = self.town.purses[name]
        rehearsed = self.rehearsed(replace(wish, dry=True), self.wallets[name])
        outcome = self.post(wish, self.wallets[name])
        news = self._news(wish.bucket)
        place = len(news) if isinstance(outcome, Refusal) else news.index(outcome)
        for entry in news[:place]:
            self._followed(entry)
        self._nothing_overdue(purse, wish)
        if isinstance(outcome, Refusal):
            assert expected(purse, -1) == outcome.reason
            self._says_what_is_possible(purse, wish, outcome)
            assert rehearsed is None or repr(rehearsed) == repr(outcome)
        else:
            assert expected(purse, outcome.seq) == ""
            self._says_what_there_is(purse, outcome)
            assert rehearsed is None or _as_rehearsed(rehearsed) == _as_rehearsed(outcome)
            purse.acted[outcome.seq] = outcome.partner
            self.posted.append((name, wish, outcome))
            if isinstance(wish, TransferWish | MergeWish):
                self.under_way.append(outcome)
        for entry in news[place + 1 :]:
            self._followed(entry)
        self.failing = False
        return None if isinstance(outcome, Refusal) else outcome

    def _nothing_overdue(self, purse: Purse, wish: Wish) -> None:
        """Whoever wants points finds those that time has brought; whoever takes everything takes nothing that ended."""
        if isinstance(wish, HoldWish | RedeemWish | TransferWish) or (isinstance(wish, AdjustWish) and wish.taking):
            assert not purse.overdue(self.now.date(), self.at, wish.unit.name)
        elif isinstance(wish, MergeWish):
            assert not purse.overdue(self.now.date(), self.at)

    def _news(self, bucket: int) -> list[Entry]:
        """What was posted there since somebody asked last."""
        found = list(self.since(bucket, self.heads[bucket]))
        assert [entry.seq for entry in found] == [self.heads[bucket] + 1 + n for n in range(len(found))]
        self.heads[bucket] += len(found)
        return found

    def _in_order(self) -> list[Entry]:
        """All news: in each bucket as they were posted, and what left before what arrived."""
        queues = [self._news(bucket) for bucket in BUCKETS]
        gone = {(out.bucket, out.seq) for out in self.under_way}
        ordered: list[Entry] = []
        for _ in range(100):
            if not any(queues):
                return ordered
            for queue in queues:
                while queue and self._may_come(queue[0], gone):
                    ordered.append(queue.pop(0))
                    gone.add((ordered[-1].bucket, ordered[-1].seq))
            for queue, bucket in zip(queues, BUCKETS, strict=True):
                queue += self._news(bucket)
        raise AssertionError("something arrived that nobody sent")

    def _may_come(self, entry: Entry, gone: set[tuple[int, int]]) -> bool:
        """Whether it is somebody else's, or did not arrive before it left."""
        return entry.wallet not in self.wallets or entry.kind not in _ARRIVALS or _sender_of(entry) in gone

    def _followed(self, entry: Entry) -> None:
        """The model does what the clock did, and knows whether it was time."""
        if entry.wallet not in self.wallets:
            return
        name = self._purse(entry.wallet)
        purse, now = self.town.purses[name], self.moment
        match entry.kind:
            case EntryKind.RELEASE:
                purse.hold_ended(entry.original or 0, now.today, now.at)
            case EntryKind.PENDING_RELEASE:
                purse.became_ready(_parts(entry, AccountKind.PENDING), now.today, now.at)
            case EntryKind.EXPIRY:
                purse.expired(_parts(entry, AccountKind.AVAILABLE), now.today)
            case EntryKind.MERGE_OUT:
                assert entry.counterpart
                assert self.town.merge(name, self._purse(entry.counterpart.wallet), entry.seq) == ""
                self.under_way.append(entry)
            case _:
                bucket, out = _sender_of(entry)
                assert self.town.deliver(bucket, out, entry.seq, now.today) == name
                purse.acted[entry.seq] = entry.partner
                self.under_way = [other for other in self.under_way if (other.bucket, other.seq) != (bucket, out)]
        self._says_what_there_is(purse, entry)

    def _says_what_is_possible(self, purse: Purse, wish: Wish, refusal: Refusal) -> None:
        if isinstance(wish, HoldWish | RedeemWish):
            most = purse.most_redeemable(wish.partner, wish.unit.name, wish.receipt_points, self.now.date())
            assert refusal.facts["max_redeemable_points"] == most

    def _says_what_there_is(self, purse: Purse, entry: Entry) -> None:
        """An answer carries the balances after it."""
        balances = seen(purse).balances
        for unit, balance in [(entry.unit, entry.balance), *entry.others]:
            assert (unit, tuple(balance)) == (unit, balances.get(unit.name, (0, 0, 0, 0)))


_ARRIVALS = (EntryKind.TRANSFER_IN, EntryKind.MERGE_IN)


def _sender_of(entry: Entry) -> tuple[int, int]:
    """The place of the leg that left."""
    assert entry.kind in _ARRIVALS, entry
    assert entry.counterpart
    return entry.counterpart.bucket, entry.counterpart.seq or 0


def _parts(entry: Entry, source: AccountKind) -> dict[tuple[int, int], int]:
    """Points by lot that the clock moved from there. What then repays a debt comes on top."""
    moved = [posting for posting in entry.postings if posting.debit.kind is source]
    return {(p.lot.seq, p.lot.line): p.points for p in moved if p.credit.kind is not AccountKind.OWED}


def _told(line: Line) -> ModelLine:
    unit, ready_at = line.unit.name, line.available_from
    return ModelLine(unit, line.issuer, line.points, line.expires_on, ready_at, None, line.campaign)


def _as_rehearsed(outcome: Entry | Refusal) -> object:
    """What a dry run can know of an entry."""
    if isinstance(outcome, Refusal):
        return outcome.reason
    return (outcome.kind, outcome.points, outcome.unit, outcome.balance, outcome.others, len(outcome.postings))
