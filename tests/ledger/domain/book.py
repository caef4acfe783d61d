"""A bucket in memory: the pure core with nothing around it, and what must be true of it after every step."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TypeVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from services.ledger.domain.apply import Head, apply
from services.ledger.domain.chain import START, canonical, chained
from services.ledger.domain.entry import AccountKind, Entry, ReceiptRef
from services.ledger.domain.programme import Programme
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import (
    AwardWish,
    CaptureWish,
    ExpireHoldWish,
    ExpireLotsWish,
    HoldWish,
    Line,
    Moment,
    RedeemWish,
    RefundWish,
    ReleaseWish,
    ReverseWish,
    Wish,
)
from shared.refusal import Refusal

R = TypeVar("R", bound=Refusal)

GROCER, FLORIST = "grocer", "florist"
BUCKET = 7
MINUTE = 60_000_000
INSIDE = (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HELD)

_NAMES = UUID("00000000-0000-4000-8000-000000000000")
ANNA, BERT = uuid5(_NAMES, "anna"), uuid5(_NAMES, "bert")


class Book:
    """One bucket with its wallets. Verbs answer with the entry or with the refusal, as the core does.

    `now` is set by tests. Every entry is checked as it is made: seq, chain, canonical form, balance, conservation, and
    that the entries alone rebuild every wallet.
    """

    def __init__(self, *, lot_days: int = 730, grace_days: int = 30, now: datetime | None = None) -> None:
        self.programme = Programme(ZoneInfo("UTC"), lot_days, grace_days)
        self.head = Head(BUCKET, 0, START)
        self.wallets: dict[UUID, Wallet] = {}
        self.entries: list[Entry] = []
        self.now = now or datetime(2026, 3, 1, 12, tzinfo=UTC)
        self._ids = (uuid5(_NAMES, str(number)) for number in count())

    @property
    def moment(self) -> Moment:
        return self.programme.moment(self.now)

    def wallet(self, id_: UUID = ANNA) -> Wallet:
        return self.wallets.setdefault(id_, Wallet(BUCKET, id_))

    def pass_by(self, **units: float) -> None:
        self.now += timedelta(**units)

    def on(self, day: date) -> None:
        """Noon of that day."""
        self.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

    def award(
        self,
        points: int,
        *,
        partner: str = GROCER,
        wallet: UUID = ANNA,
        until: date | None = None,
        receipt: ReceiptRef | None = None,
        occurred_at: int | None = None,
    ) -> Entry | Refusal:
        lines = (Line(partner, points, until),)
        return self.award_lines(lines, partner=partner, wallet=wallet, receipt=receipt, occurred_at=occurred_at)

    def award_lines(
        self,
        lines: tuple[Line, ...],
        *,
        partner: str = GROCER,
        wallet: UUID = ANNA,
        receipt: ReceiptRef | None = None,
        occurred_at: int | None = None,
    ) -> Entry | Refusal:
        wish = AwardWish(
            bucket=BUCKET,
            partner=partner,
            request_id=next(self._ids),
            occurred_at=occurred_at,
            wallet=wallet,
            lines=lines,
            receipt=receipt,
        )
        return self.apply(wish, wallet)

    def hold(
        self, points: int, *, partner: str = GROCER, wallet: UUID = ANNA, ttl: int = 15 * MINUTE
    ) -> Entry | Refusal:
        id_ = next(self._ids)
        wish = HoldWish(bucket=BUCKET, partner=partner, request_id=id_, wallet=wallet, points=points, ttl=ttl)
        return self.apply(wish, wallet)

    def redeem(self, points: int, *, partner: str = GROCER, wallet: UUID = ANNA) -> Entry | Refusal:
        id_ = next(self._ids)
        wish = RedeemWish(bucket=BUCKET, partner=partner, request_id=id_, wallet=wallet, points=points)
        return self.apply(wish, wallet)

    def capture(self, hold: int, points: int | None = None, *, partner: str = GROCER) -> Entry | Refusal:
        wish = CaptureWish(bucket=BUCKET, partner=partner, request_id=next(self._ids), original=hold, points=points)
        return self.apply(wish)

    def release(self, hold: int, *, partner: str = GROCER) -> Entry | Refusal:
        wish = ReleaseWish(bucket=BUCKET, partner=partner, request_id=next(self._ids), original=hold)
        return self.apply(wish)

    def reverse(self, award: int, *lines: Line, partner: str = GROCER) -> Entry | Refusal:
        wish = ReverseWish(bucket=BUCKET, partner=partner, request_id=next(self._ids), original=award, lines=lines)
        return self.apply(wish)

    def refund(self, redemption: int, points: int | None = None, *, partner: str = GROCER) -> Entry | Refusal:
        wish = RefundWish(
            bucket=BUCKET, partner=partner, request_id=next(self._ids), original=redemption, points=points
        )
        return self.apply(wish)

    def expire(self, wallet: UUID = ANNA) -> Entry | Refusal:
        wish = ExpireLotsWish(bucket=BUCKET, partner="operator", request_id=next(self._ids), wallet=wallet)
        return self.apply(wish, wallet)

    def expire_hold(self, hold: int) -> Entry | Refusal:
        wish = ExpireHoldWish(bucket=BUCKET, partner="operator", request_id=next(self._ids), original=hold)
        return self.apply(wish)

    def apply(self, wish: Wish, wallet_id: UUID | None = None) -> Entry | Refusal:
        """As the writer does it for one wish: find the entry it names and that entry's wallet, then decide."""
        original = self.entry(getattr(wish, "original", 0))
        wallet = self.wallet(wallet_id or (original.wallet if original else ANNA))
        before = deepcopy((self.head, wallet))
        outcome = apply(self.head, wallet, wish, self.moment, self.programme, original)
        if isinstance(outcome, Refusal):
            assert (self.head, wallet) == before, "a refusal changed something"
            return outcome
        self._check_link(before[0], outcome, wallet)
        self.entries.append(outcome)
        self.check_conservation()
        return outcome

    def entry(self, seq: int) -> Entry | None:
        return self.entries[seq - 1] if 0 < seq <= len(self.entries) else None

    def _check_link(self, before: Head, entry: Entry, wallet: Wallet) -> None:
        assert entry.seq == before.seq + 1 == self.head.seq
        assert entry.hash == chained(before.hash, canonical(entry)) == self.head.hash
        assert entry.balance == wallet.balance
        assert min(wallet.balance) >= 0

    def check_conservation(self) -> None:
        """What came in and did not go out is what the wallets hold: in all, and for each issuer."""
        flows: Counter[str] = Counter()
        for entry in self.entries:
            for posting in entry.postings:
                into, out_of = posting.credit.kind in INSIDE, posting.debit.kind in INSIDE
                flows[posting.issuer] += posting.points * (into - out_of)
        held: Counter[str] = Counter()
        for wallet in self.wallets.values():
            for lot in wallet.lots.values():
                held[lot.issuer] += lot.available + lot.pending + lot.held
            lots = wallet.lots.values()
            assert wallet.balance.available == sum(lot.available for lot in lots)
            assert wallet.balance.held == sum(lot.held for lot in lots)
        assert +flows == +held
        assert flows.total() == sum(wallet.balance.total for wallet in self.wallets.values())

    def check_replay(self) -> None:
        """The entries alone rebuild every wallet, lot, hold and redemption."""
        rebuilt: dict[UUID, Wallet] = {}
        for entry in self.entries:
            rebuilt.setdefault(entry.wallet, Wallet(BUCKET, entry.wallet)).fold(entry)
        assert rebuilt == {id_: wallet for id_, wallet in self.wallets.items() if wallet != Wallet(BUCKET, id_)}


def done(outcome: Entry | Refusal) -> Entry:
    """The entry; a refusal fails the test with its own words."""
    if isinstance(outcome, Refusal):
        raise AssertionError(f"{outcome.reason}: {outcome}")
    return outcome


def refused(outcome: Entry | Refusal, kind: type[R]) -> R:
    """The refusal, of this class."""
    assert isinstance(outcome, kind), outcome
    return outcome


def taken(entry: Entry) -> list[tuple[int, int]]:
    """Which lots an entry touched, by the seq of their award, with how many points, in order."""
    return [(posting.lot.seq, posting.points) for posting in entry.postings]


def flows(entry: Entry) -> list[str]:
    """An entry's postings in one readable line each."""
    return [f"{posting.points} {posting.debit} -> {posting.credit}" for posting in entry.postings]


def unplaced(entry: Entry) -> Entry:
    """The entry without what depends on its place in the chain."""
    return replace(entry, hash=b"")
