"""Buckets in memory: the pure core with nothing around it, and what must be true of it after every step."""

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
from services.ledger.domain.entry import (
    IN_TRANSIT,
    OPERATOR,
    Balance,
    Counterpart,
    Entry,
    EntryKind,
    Place,
    ReceiptRef,
    Unit,
)
from services.ledger.domain.moment import Moment
from services.ledger.domain.programme import Programme
from services.ledger.domain.terms import Policy, Terms
from services.ledger.domain.verbs.award import allowance_spent
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import (
    AdjustWish,
    ArriveWish,
    AwardWish,
    CaptureWish,
    ClearWish,
    ExpireHoldWish,
    ExpireLotsWish,
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
    Wish,
)
from shared.refusal import Refusal

R = TypeVar("R", bound=Refusal)

GROCER, FLORIST = "grocer", "florist"
BUCKET = 7
MINUTE = 60_000_000

_NAMES = UUID("00000000-0000-4000-8000-000000000000")
ANNA, BERT = uuid5(_NAMES, "anna"), uuid5(_NAMES, "bert")


class Book:
    """Some buckets with their wallets. Verbs answer with the entry or with the refusal, as the core does.

    `now` is set by tests. Every entry is checked as it is made: seq, chain, canonical form, balance, conservation; at
    the end, that the entries alone rebuild every wallet. Wallets live in one bucket unless they settle elsewhere.
    """

    def __init__(
        self,
        *,
        lot_days: int = 730,
        grace_days: int = 30,
        now: datetime | None = None,
        programme: Programme | None = None,
    ) -> None:
        self.programme = programme or Programme(ZoneInfo("UTC"), lot_days, grace_days)
        self.heads: dict[int, Head] = {}
        self.wallets: dict[UUID, Wallet] = {}
        self.journals: dict[int, list[Entry]] = {}
        self.policies: dict[str, Policy] = {}
        self.allowances: dict[str, int] = {}
        self.in_transit: dict[Place, Entry] = {}
        self.now = now or datetime(2026, 3, 1, 12, tzinfo=UTC)
        self._ids = (uuid5(_NAMES, str(number)) for number in count())
        self._flows: Counter[tuple[Unit, str]] = Counter()

    @property
    def moment(self) -> Moment:
        return self.programme.moment(self.now)

    @property
    def head(self) -> Head:
        return self.head_of(BUCKET)

    @property
    def entries(self) -> list[Entry]:
        return self.journals.setdefault(BUCKET, [])

    @property
    def terms(self) -> Terms:
        """What is in force, as the store would look it up."""
        sent: Counter[UUID] = Counter()
        for journal in self.journals.values():
            for entry in journal:
                if entry.kind is EntryKind.TRANSFER_OUT and self.programme.day_of(entry.posted_at) == self.moment.today:
                    sent[entry.wallet] += entry.points
        return Terms(self.policies, self.allowances, sent)

    def head_of(self, bucket: int) -> Head:
        return self.heads.setdefault(bucket, Head(bucket, 0, START))

    def wallet(self, id_: UUID = ANNA) -> Wallet:
        return self.wallets.get(id_) or self.settle(id_, BUCKET)

    def settle(self, id_: UUID, bucket: int) -> Wallet:
        """A wallet that lives in this bucket."""
        self.wallets[id_] = Wallet(bucket, id_)
        return self.wallets[id_]

    def place_of(self, id_: UUID) -> Counterpart:
        return Counterpart(self.wallet(id_).bucket, id_)

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
            bucket=self.wallet(wallet).bucket,
            partner=partner,
            request_id=next(self._ids),
            occurred_at=occurred_at,
            wallet=wallet,
            lines=lines,
            receipt=receipt,
        )
        return self.apply(wish, wallet)

    def hold(
        self,
        points: int,
        *,
        partner: str = GROCER,
        wallet: UUID = ANNA,
        ttl: int = 15 * MINUTE,
        unit: Unit = Unit.POINTS,
        receipt_points: int | None = None,
    ) -> Entry | Refusal:
        wish = HoldWish(
            bucket=self.wallet(wallet).bucket,
            partner=partner,
            request_id=next(self._ids),
            wallet=wallet,
            points=points,
            ttl=ttl,
            unit=unit,
            receipt_points=receipt_points,
        )
        return self.apply(wish, wallet)

    def redeem(
        self,
        points: int,
        *,
        partner: str = GROCER,
        wallet: UUID = ANNA,
        unit: Unit = Unit.POINTS,
        receipt_points: int | None = None,
    ) -> Entry | Refusal:
        wish = RedeemWish(
            bucket=self.wallet(wallet).bucket,
            partner=partner,
            request_id=next(self._ids),
            wallet=wallet,
            points=points,
            unit=unit,
            receipt_points=receipt_points,
        )
        return self.apply(wish, wallet)

    def capture(
        self, hold: int, points: int | None = None, *, partner: str = GROCER, keep_open: bool = False
    ) -> Entry | Refusal:
        return self.apply(
            CaptureWish(
                bucket=BUCKET,
                partner=partner,
                request_id=next(self._ids),
                original=hold,
                points=points,
                keep_open=keep_open,
            )
        )

    def release(self, hold: int, points: int | None = None, *, partner: str = GROCER) -> Entry | Refusal:
        id_ = next(self._ids)
        return self.apply(ReleaseWish(bucket=BUCKET, partner=partner, request_id=id_, original=hold, points=points))

    def extend(self, hold: int, ttl: int, *, partner: str = GROCER) -> Entry | Refusal:
        id_ = next(self._ids)
        return self.apply(ExtendWish(bucket=BUCKET, partner=partner, request_id=id_, original=hold, ttl=ttl))

    def reverse(self, award: int, *lines: Line, partner: str = GROCER) -> Entry | Refusal:
        wish = ReverseWish(bucket=BUCKET, partner=partner, request_id=next(self._ids), original=award, lines=lines)
        return self.apply(wish)

    def refund(self, redemption: int, points: int | None = None, *, partner: str = GROCER) -> Entry | Refusal:
        wish = RefundWish(
            bucket=BUCKET, partner=partner, request_id=next(self._ids), original=redemption, points=points
        )
        return self.apply(wish)

    def release_pending(self, award: int, *, partner: str = GROCER) -> Entry | Refusal:
        return self.apply(
            ReleasePendingWish(bucket=BUCKET, partner=partner, request_id=next(self._ids), original=award)
        )

    def transfer(
        self, points: int, *, to: UUID = BERT, wallet: UUID = ANNA, unit: Unit = Unit.POINTS, partner: str = GROCER
    ) -> Entry | Refusal:
        """The leg that leaves; `deliver` is the other one."""
        wish = TransferWish(
            bucket=self.wallet(wallet).bucket,
            partner=partner,
            request_id=next(self._ids),
            wallet=wallet,
            to=self.place_of(to),
            points=points,
            unit=unit,
        )
        return self.apply(wish, wallet)

    def merge(self, *, to: UUID = BERT, wallet: UUID = ANNA, partner: str = OPERATOR) -> Entry | Refusal:
        """The leg that leaves; `deliver` is the other one."""
        bucket, place = self.wallet(wallet).bucket, self.place_of(to)
        wish = MergeWish(bucket=bucket, partner=partner, request_id=next(self._ids), wallet=wallet, to=place)
        return self.apply(wish, wallet)

    def deliver(self, out: Entry) -> Entry | Refusal:
        """What left by that entry arrives."""
        assert out.counterpart
        bucket, wallet, _ = out.counterpart
        id_ = next(self._ids)
        wish = ArriveWish(bucket=bucket, partner=out.partner, request_id=id_, wallet=wallet, out=out)
        return self.apply(wish, wallet)

    def adjust(
        self,
        points: int,
        *,
        taking: bool = False,
        issuer: str = GROCER,
        wallet: UUID = ANNA,
        unit: Unit = Unit.POINTS,
        until: date | None = None,
        by: tuple[str, str] = ("users/one", "users/two"),
    ) -> Entry | Refusal:
        wish = AdjustWish(
            bucket=self.wallet(wallet).bucket,
            partner=OPERATOR,
            request_id=next(self._ids),
            wallet=wallet,
            issuer=issuer,
            points=points,
            taking=taking,
            reason="GOODWILL",
            proposed_by=by[0],
            approved_by=by[1],
            unit=unit,
            expires_on=until,
        )
        return self.apply(wish, wallet)

    def expire(self, wallet: UUID = ANNA) -> Entry | Refusal:
        id_, bucket = next(self._ids), self.wallet(wallet).bucket
        return self.apply(ExpireLotsWish(bucket=bucket, partner=OPERATOR, request_id=id_, wallet=wallet), wallet)

    def clear(self, wallet: UUID = ANNA) -> Entry | Refusal:
        id_, bucket = next(self._ids), self.wallet(wallet).bucket
        return self.apply(ClearWish(bucket=bucket, partner=OPERATOR, request_id=id_, wallet=wallet), wallet)

    def expire_hold(self, hold: int, *, bucket: int = BUCKET) -> Entry | Refusal:
        id_ = next(self._ids)
        return self.apply(ExpireHoldWish(bucket=bucket, partner=OPERATOR, request_id=id_, original=hold))

    def tend(self, wallet: UUID = ANNA) -> None:
        """The clock's work on one wallet, as the writer does it before every wish."""
        known = self.wallet(wallet)
        for hold in known.due_holds(self.moment.at):
            done(self.expire_hold(hold.seq, bucket=known.bucket))
        while known.due_pending(self.moment.at):
            done(self.clear(wallet))
        while known.due_lots(self.moment):
            done(self.expire(wallet))

    def apply(self, wish: Wish, wallet_id: UUID | None = None) -> Entry | Refusal:
        """As the writer does it for one wish: find the entry it names and that entry's wallet, then decide."""
        original = self.entry(getattr(wish, "original", 0), wish.bucket)
        wallet = self.wallet(wallet_id or (original.wallet if original else ANNA))
        head = self.head_of(wish.bucket)
        before = deepcopy((head, wallet))
        outcome = apply(head, wallet, wish, self.moment, self.programme, original, self.terms)
        if isinstance(outcome, Refusal):
            assert (head, wallet) == before, "a refusal changed something"
            return outcome
        self._take_in(before[0], outcome, wallet)
        if isinstance(wish, AwardWish):
            for issuer, points in allowance_spent(wish).items():
                if issuer in self.allowances:
                    self.allowances[issuer] -= points
        self.check_conservation()
        return outcome

    def entry(self, seq: int, bucket: int = BUCKET) -> Entry | None:
        journal = self.journals.get(bucket, [])
        return journal[seq - 1] if 0 < seq <= len(journal) else None

    def _take_in(self, before: Head, entry: Entry, wallet: Wallet) -> None:
        head = self.head_of(entry.bucket)
        assert entry.seq == before.seq + 1 == head.seq
        assert entry.hash == chained(before.hash, canonical(entry)) == head.hash
        assert entry.posted_at >= before.posted_at
        assert entry.balance == wallet.of(entry.unit)
        assert all(balance == wallet.of(unit) for unit, balance in entry.others)
        for balance in wallet.balances.values():
            assert min(balance) >= 0
            assert not balance.debt or not balance.available, "points to spend beside a debt"
        self.journals.setdefault(entry.bucket, []).append(entry)
        for posting in entry.postings:
            for account, sign in ((posting.credit, 1), (posting.debit, -1)):
                if account.kind.is_inside or account == IN_TRANSIT:
                    self._flows[posting.unit, account.party or posting.issuer] += sign * posting.points
        if entry.kind in (EntryKind.TRANSFER_OUT, EntryKind.MERGE_OUT):
            self.in_transit[entry.place] = entry
        elif entry.kind in (EntryKind.TRANSFER_IN, EntryKind.MERGE_IN):
            assert entry.counterpart
            self.in_transit.pop(Place(entry.counterpart.bucket, entry.counterpart.seq or 0))

    def check_conservation(self) -> None:
        """What came in and did not go out is what the wallets hold or is on its way: for each unit and issuer."""
        standing: Counter[tuple[Unit, str]] = Counter()
        for wallet in self.wallets.values():
            for lot in wallet.lots.values():
                standing[lot.unit, lot.issuer] += lot.available + lot.pending + lot.held - lot.owed
            for unit in Unit:
                lots = [lot for lot in wallet.lots.values() if lot.unit is unit]
                sums = [(lot.available, lot.pending, lot.held, lot.owed) for lot in lots]
                assert wallet.of(unit) == Balance(*(sum(column) for column in zip(*sums, strict=True)))
        for out in self.in_transit.values():
            for posting in out.postings:
                standing[posting.unit, posting.issuer] += posting.points * (1 if posting.credit == IN_TRANSIT else -1)
        assert {key: points for key, points in self._flows.items() if points} == {
            key: points for key, points in standing.items() if points
        }

    def check_replay(self) -> None:
        """The entries alone rebuild every wallet, lot, hold and redemption."""
        rebuilt: dict[UUID, Wallet] = {}
        for bucket, journal in self.journals.items():
            for entry in journal:
                rebuilt.setdefault(entry.wallet, Wallet(bucket, entry.wallet)).fold(entry)
        known = {id_: wallet for id_, wallet in self.wallets.items() if wallet != Wallet(wallet.bucket, id_)}
        assert rebuilt == known
        assert repr(rebuilt) == repr({id_: known[id_] for id_ in rebuilt})


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
