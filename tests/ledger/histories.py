"""Random histories of all verbs, played on the model and on a ledger beside it: both must agree after every step.

The machine knows neither the pure core nor PostgreSQL; a subclass says how its ledger applies a wish.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.ledger.domain.entry import Entry, EntryKind
from services.ledger.domain.wish import (
    AwardWish,
    CaptureWish,
    HoldWish,
    Line,
    RedeemWish,
    RefundWish,
    ReleaseWish,
    ReverseWish,
    Wish,
)
from shared.instants import micros
from shared.refusal import Refusal
from tests.ledger.model import Purse, Seen

Verb = Callable[[Purse, int], str]
"""A purse and the number that the entry got -> the reason of the refusal, or nothing."""

PARTNERS = ("grocer", "florist")
BUCKETS, BUCKET = 64, 7
NOWHERE = 10**9
GRACE_DAYS = 3
BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)

partners = st.sampled_from(PARTNERS)
points = st.integers(1, 12)
days = st.integers(0, 6)
picks = st.integers(0, 1000)
wallets = st.integers(0, 1)


class Histories(RuleBasedStateMachine):
    """Two wallets of one bucket, two partners, and time that goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGINNING
        self.wallets: list[UUID] = []
        self.purses: list[Purse] = []
        self.posted: list[tuple[int, Wish, Entry]] = []

    # What a subclass says about its ledger.

    def open(self) -> None:
        """Get ready, once the wallets have their ids."""

    def post(self, wish: Wish, wallet: UUID) -> Entry | Refusal:
        raise NotImplementedError

    def tend(self) -> None:
        """Do the clock's work on both wallets."""
        raise NotImplementedError

    def look(self, wallet: UUID) -> Seen:
        raise NotImplementedError

    # What happens.

    @initialize()
    def begin(self) -> None:
        base = uuid4().int // BUCKETS // 4 * BUCKETS + BUCKET
        self.wallets = [UUID(int=base), UUID(int=base + BUCKETS)]
        self.purses = [Purse(timedelta(days=GRACE_DAYS)) for _ in self.wallets]
        self.open()

    @property
    def at(self) -> int:
        return micros(self.now)

    @rule(wallet=wallets, partner=partners, own=points, other=st.one_of(st.none(), points), lasts=days)
    def award(self, wallet: int, partner: str, own: int, other: int | None, lasts: int) -> None:
        last_day = self.now.date() + timedelta(days=lasts)
        parts: list[tuple[str, int, date | None]] = [(partner, own, last_day)]
        if other:
            parts.append((PARTNERS[1 - PARTNERS.index(partner)], other, last_day + timedelta(days=1)))
        lines = tuple(Line(*part) for part in parts)
        wish = AwardWish(bucket=BUCKET, partner=partner, request_id=uuid4(), wallet=self.wallets[wallet], lines=lines)
        self.agree(wallet, wish, lambda p, seq: p.award(seq, partner, parts, self.at))

    @rule(wallet=wallets, partner=partners, wanted=points, minutes=st.integers(1, 3000))
    def hold(self, wallet: int, partner: str, wanted: int, minutes: int) -> None:
        ttl = minutes * 60_000_000
        id_ = self.wallets[wallet]
        wish = HoldWish(bucket=BUCKET, partner=partner, request_id=uuid4(), wallet=id_, points=wanted, ttl=ttl)
        today = self.now.date()
        self.agree(wallet, wish, lambda p, seq: p.hold(seq, partner, wanted, today, self.at + ttl))

    @rule(wallet=wallets, partner=partners, wanted=points)
    def redeem(self, wallet: int, partner: str, wanted: int) -> None:
        id_ = self.wallets[wallet]
        wish = RedeemWish(bucket=BUCKET, partner=partner, request_id=uuid4(), wallet=id_, points=wanted)
        self.agree(wallet, wish, lambda p, seq: p.redeem(seq, partner, wanted, self.now.date()))

    @rule(pick=picks, partner=partners, part=st.one_of(st.none(), points))
    def capture(self, pick: int, partner: str, part: int | None) -> None:
        wallet, hold = self.picked(pick, EntryKind.HOLD)
        wish = CaptureWish(bucket=BUCKET, partner=partner, request_id=uuid4(), original=hold, points=part)
        today = self.now.date()
        self.agree(wallet, wish, lambda p, seq: p.capture(seq, hold, partner, part, today, self.at))

    @rule(pick=picks, partner=partners)
    def release(self, pick: int, partner: str) -> None:
        wallet, hold = self.picked(pick, EntryKind.HOLD)
        wish = ReleaseWish(bucket=BUCKET, partner=partner, request_id=uuid4(), original=hold)
        self.agree(wallet, wish, lambda p, _: p.release(hold, partner, self.now.date(), self.at))

    @rule(pick=picks, partner=partners, part=st.one_of(st.none(), points))
    def refund(self, pick: int, partner: str, part: int | None) -> None:
        wallet, spent = self.picked(pick, EntryKind.REDEMPTION, EntryKind.CAPTURE)
        wish = RefundWish(bucket=BUCKET, partner=partner, request_id=uuid4(), original=spent, points=part)
        self.agree(wallet, wish, lambda p, _: p.refund(spent, partner, part, self.now.date()))

    @rule(pick=picks, partner=partners, lines=st.dictionaries(partners, points, max_size=2))
    def reverse(self, pick: int, partner: str, lines: dict[str, int]) -> None:
        wallet, award = self.picked(pick, EntryKind.AWARD)
        named = tuple(Line(issuer, part) for issuer, part in lines.items())
        wish = ReverseWish(bucket=BUCKET, partner=partner, request_id=uuid4(), original=award, lines=named)
        self.agree(wallet, wish, lambda p, _: p.reverse(award, partner, lines, self.now.date()))

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.tend()
        for purse in self.purses:
            purse.tend(self.now.date(), self.at)

    @rule(pick=picks)
    def say_it_again(self, pick: int) -> None:
        """A repeat changes nothing, whatever happened since."""
        if self.posted:
            wallet, wish, entry = self.posted[pick % len(self.posted)]
            self.repeated(wish, self.wallets[wallet], entry)

    def repeated(self, wish: Wish, wallet: UUID, entry: Entry) -> None:
        """The pure core knows no repeats; a ledger with a memory checks them here."""

    @invariant()
    def both_agree(self) -> None:
        for wallet, purse in zip(self.wallets, self.purses, strict=True):
            assert self.look(wallet) == purse.seen()

    # How.

    def picked(self, pick: int, *kinds: EntryKind) -> tuple[int, int]:
        """A wallet and the seq of an entry: mostly one that the verb is for, sometimes any, at first one of nobody."""
        entries = [(wallet, entry.seq, entry.kind) for wallet, _, entry in self.posted] or [
            (0, NOWHERE, EntryKind.EXPIRY)
        ]
        fitting = [found for found in entries if found[2] in kinds]
        choice = fitting if fitting and pick % 8 else entries
        wallet, seq, _ = choice[pick // 8 % len(choice)]
        return wallet, seq

    def agree(self, wallet: int, wish: Wish, expected: Verb) -> None:
        outcome = self.post(wish, self.wallets[wallet])
        if isinstance(outcome, Refusal):
            assert expected(self.purses[wallet], -1) == outcome.reason
            return
        assert expected(self.purses[wallet], outcome.seq) == ""
        self.purses[wallet].acted[outcome.seq] = outcome.partner
        self.posted.append((wallet, wish, outcome))
