"""The running ledger, over real gRPC, for random histories: it answers as to any till, and its journal says the rest.

Wallets are rebuilt from the journal that the service hands out; what it answers about a balance must agree with them.
The clock's work is done by the service itself, whenever its sweeper comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar
from uuid import UUID

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub
from google.protobuf.message import Message

from services.ledger.domain.entry import Entry, Unit
from services.ledger.domain.moment import Moment
from services.ledger.domain.reading import entry_from
from services.ledger.domain.wallet import Wallet
from services.ledger.domain.wish import (
    AdjustWish,
    AwardWish,
    CaptureWish,
    EntryWish,
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
from shared.instants import instant, micros
from shared.refusal import Kind, Refusal
from shared.rpc.wire import date_pb, timestamp
from tests.ledger.domain.pure import seen
from tests.ledger.histories import BUCKETS, Histories, Setting
from tests.ledger.histories.drawn import PARTNERS
from tests.ledger.histories.terms import policy_of
from tests.ledger.model import Ending, Rules, Seen
from tests.ledger.till import SECONDS, Till, after, till_of
from tests.support.platform import RunningPlatform
from tests.support.refused import Refused

_UNLIMITED = 10**18
_SWEPT_SECONDS = 30.0


class Said(Refusal):
    """What the service said."""

    kind = Kind.NOT_NOW
    message = "{reason}"

    def __init__(self, refused: Refused) -> None:
        facts = {"max_redeemable_points": int(refused.metadata.get("maxRedeemablePoints", 0))}
        super().__init__(reason=refused.reason, **facts)

    @property
    def reason(self) -> str:
        return str(self.facts["reason"])


class ServedHistories(Histories):
    """Two partners of a running platform, and a second user of the operator who approves."""

    platform: RunningPlatform
    tills: dict[str, Till]
    second: LedgerServiceStub
    ends: dict[int, int]
    """Where each bucket ended when a history began: the next one need not read what came before."""
    revisions: ClassVar[count[int]] = count(1)

    grace_days = 30
    strict = True

    def setting_of(self, drawn_: Setting) -> Setting:
        """That of the sandbox."""
        return Setting(Ending("fixed period", 730), False, 0, 0)

    def named(self, partner: str) -> str:
        return self.tills[partner].partner.id

    def issuer(self, issuer: str, who: str) -> str:
        """A partner awards in its own name."""
        return who

    def open(self, setting: Setting) -> None:
        self.operator = self.platform.operator.ledger
        self.platform.clock.move(timedelta(hours=1))
        self.now = self.platform.clock.now()
        self.folded = {id_: Wallet(BUCKETS[n % len(BUCKETS)], id_) for n, id_ in enumerate(self.wallets)}
        self.by_id = {till.partner.id: till for till in self.tills.values()}
        for bucket in BUCKETS:
            self.ends[bucket] = self._end(bucket)
        self.began = dict(self.ends)
        self.heads = dict(self.began)
        for till in self.tills.values():
            self._allow(till.partner.id, _UNLIMITED)

    def post(self, wish: Wish, wallet: UUID) -> Entry | Refusal:
        self.platform.clock.set(self.now)
        if isinstance(refusal := self._answer(wish), Refusal):
            return refusal
        news = self.since(wish.bucket, self.heads[wish.bucket])
        if isinstance(wish, AdjustWish):
            return next(entry for entry in news if entry.wallet == wallet and entry.reason == wish.reason)
        return next(entry for entry in news if entry.request_id == wish.request_id)

    def rehearsed(self, wish: Wish, wallet: UUID) -> None:
        """A rehearsal is refused where the wish is, and changes nothing: the answer has no place, so it is not one."""
        self.platform.clock.set(self.now)
        if not isinstance(wish, AdjustWish):
            self._answer(wish)

    def deliver(self, out: Entry) -> None:
        """The service has done it already, or does it."""
        self._until(lambda: out not in self.under_way)

    def sweep(self) -> None:
        self.platform.clock.set(self.now)
        self._until(self._nothing_is_due)

    def catch_up(self) -> None:
        self._follow(*BUCKETS)

    def repeated(self, wish: Wish, wallet: UUID, entry: Entry) -> None:
        """The answer is the first one; nothing new stands in the journal."""
        if isinstance(wish, AdjustWish):
            return
        before = self._own()
        assert not isinstance(self._answer(wish), Refusal)
        assert self._own() == before

    def agree_on(self, partner: str, rules: Rules) -> None:
        policy = policy_of(rules)
        stated = pb.PartnerPolicy(
            partner=partner,
            revision=next(self.revisions),
            pending_days=policy.pending_days,
            negative_balance=pb.NegativeBalance.Name(policy.negative_balance.value),
            redemption_step=policy.redemption_step,
            redemption_minimum=policy.redemption_minimum,
            redemption_share_bp=policy.redemption_share_bp,
        )
        self.operator.SetPartnerPolicy(pb.SetPartnerPolicyRequest(policy=stated), timeout=SECONDS)

    def allow(self, partner: str, points: int) -> None:
        found = self.operator.GetAwardAllowance(pb.GetAwardAllowanceRequest(partner=partner), timeout=SECONDS)
        assert self._allow(partner, found.awarded_points + points).remaining_points == points

    def since(self, bucket: int, seq: int) -> list[Entry]:
        found: list[Entry] = []
        while True:
            cursor = [pb.BucketPosition(bucket=bucket, seq=found[-1].seq if found else seq)]
            request = pb.ReadJournalRequest(cursor=cursor, page_size=500)
            page = self.operator.ReadJournal(request, timeout=SECONDS)
            found += [entry_from(entry.canonical, entry.hash) for entry in page.entries]
            if not page.more:
                return found

    def look(self, wallet: UUID) -> Seen:
        folded = self.folded[wallet]
        till = next(iter(self.tills.values()))
        answer = till.balance(till.grant(wallet))
        told = [(Unit(one.unit).name, _numbers(one)) for one in (answer, *answer.others)]
        found = seen(folded, _moment(self.now))
        return replace(found, balances={unit: balance for unit, balance in told if any(balance)})

    def has_news(self) -> bool:
        return any(self.unfollowed[bucket] or self.since(bucket, self.heads[bucket]) for bucket in BUCKETS)

    # How.

    def _read(self, bucket: int) -> list[Entry]:
        found = super()._read(bucket)
        for entry in found:
            if entry.wallet in self.folded:
                self.folded[entry.wallet].fold(entry)
        return found

    def _answer(self, wish: Wish) -> Refusal | None:
        try:
            self._sent(wish)
        except grpc.RpcError as error:
            return Said(Refused(error))
        return None

    def _sent(self, wish: Wish) -> Message:
        if isinstance(wish, AdjustWish):
            return self._adjusted(wish)
        if isinstance(wish, MergeWish):
            return self.operator.MergeWallets(
                pb.MergeWalletsRequest(
                    request_id=str(wish.request_id),
                    from_grant=self._operators(wish.wallet),
                    to_grant=self._operators(wish.to.wallet),
                    validate_only=wish.dry,
                ),
                timeout=SECONDS,
            )
        till = self.by_id[wish.partner]
        request = _entry_request(wish, till) if isinstance(wish, EntryWish) else _wallet_request(wish, till)
        call: Callable[..., Message] = getattr(till.ledger, type(request).__name__.removesuffix("Request"))
        return call(request, timeout=SECONDS)

    def _adjusted(self, wish: AdjustWish) -> Message:
        request = pb.ProposeAdjustmentRequest(
            request_id=str(wish.request_id),
            grant=self._operators(wish.wallet),
            issuer=wish.issuer,
            points=wish.points,
            taking=wish.taking,
            reason=wish.reason,
            unit=_unit(wish.unit),
            expires_on=date_pb(wish.expires_on) if wish.expires_on else None,
        )
        proposed = self.operator.ProposeAdjustment(request, timeout=SECONDS)
        same = wish.proposed_by == wish.approved_by
        decide = pb.DecideAdjustmentRequest(name=proposed.name, approve=True)
        return (self.operator if same else self.second).DecideAdjustment(decide, timeout=SECONDS)

    def _operators(self, wallet: UUID) -> str:
        return next(iter(self.tills.values())).grant(wallet, partner="operator")

    def _allow(self, partner: str, limit: int) -> pb.AwardAllowance:
        request = pb.SetAwardAllowanceRequest(partner=partner, revision=next(self.revisions), limit_points=limit)
        return self.operator.SetAwardAllowance(request, timeout=SECONDS)

    def _end(self, bucket: int) -> int:
        known = self.ends.get(bucket, 0)
        entries = self.since(bucket, known)
        return entries[-1].seq if entries else known

    def _own(self) -> list[Entry]:
        """What stands in the journal about our wallets, but for the clock's work."""
        entries = [entry for bucket in BUCKETS for entry in self.since(bucket, self.began[bucket])]
        return [entry for entry in entries if entry.wallet in self.folded and entry.partner != "operator"]

    def _nothing_is_due(self) -> bool:
        overdue = [due for purse in self.town.purses for due in purse.overdue(self.now.date(), self.at)]
        return not (overdue or self.under_way or self.town.behind())

    def _until(self, holds: Callable[[], bool]) -> None:
        give_up = time.monotonic() + _SWEPT_SECONDS
        self.catch_up()
        while not holds():
            assert time.monotonic() < give_up, "the service does not do the clock's work"
            time.sleep(0.2)
            self.catch_up()


def histories_of(platform: RunningPlatform, second: LedgerServiceStub) -> type[ServedHistories]:
    """The machine for this platform, with two partners of its own."""
    tills = {partner: till_of(platform) for partner in PARTNERS}
    facts = {"platform": platform, "tills": tills, "second": second, "ends": {}}
    return type("HistoriesOfAService", (ServedHistories,), facts)


def _numbers(balance: pb.Balance) -> tuple[int, int, int, int]:
    return balance.available, balance.pending, balance.held, balance.debt


def _moment(now: datetime) -> Moment:
    return Moment(micros(now), now.date())


def _wallet_request(wish: Wish, till: Till) -> Message:
    assert isinstance(wish, WalletWish)
    id_, grant = str(wish.request_id), till.grant(wish.wallet)
    match wish:
        case AwardWish():
            return pb.AwardPointsRequest(
                request_id=id_,
                grant=grant,
                lines=[_line(line) for line in wish.lines],
                occurred_at=None if wish.occurred_at is None else timestamp(instant(wish.occurred_at)),
                validate_only=wish.dry,
            )
        case HoldWish():
            return pb.HoldPointsRequest(
                request_id=id_,
                grant=grant,
                points=wish.points,
                ttl=after(microseconds=wish.ttl),
                unit=_unit(wish.unit),
                receipt_points=wish.receipt_points,
                validate_only=wish.dry,
            )
        case RedeemWish():
            return pb.RedeemPointsRequest(
                request_id=id_,
                grant=grant,
                points=wish.points,
                unit=_unit(wish.unit),
                receipt_points=wish.receipt_points,
                validate_only=wish.dry,
            )
        case TransferWish():
            return pb.TransferPointsRequest(
                request_id=id_,
                from_grant=grant,
                to_grant=till.grant(wish.to.wallet),
                points=wish.points,
                unit=_unit(wish.unit),
                validate_only=wish.dry,
            )
        case _:
            raise TypeError(type(wish).__name__)


def _entry_request(wish: EntryWish, till: Till) -> Message:
    id_, dry = str(wish.request_id), wish.dry
    entry, hold = (f"{till.partner.name}/{kind}/{wish.place}" for kind in ("entries", "holds"))
    match wish:
        case CaptureWish():
            return pb.CaptureHoldRequest(
                request_id=id_, name=hold, points=wish.points, keep_open=wish.keep_open, validate_only=dry
            )
        case ReleaseWish():
            return pb.ReleaseHoldRequest(request_id=id_, name=hold, points=wish.points, validate_only=dry)
        case ExtendWish():
            return pb.ExtendHoldRequest(request_id=id_, name=hold, ttl=after(microseconds=wish.ttl), validate_only=dry)
        case ReverseWish():
            lines = [_line(line) for line in wish.lines]
            return pb.ReverseAwardRequest(request_id=id_, entry=entry, lines=lines, validate_only=dry)
        case RefundWish():
            return pb.RefundRedemptionRequest(request_id=id_, entry=entry, points=wish.points, validate_only=dry)
        case ReleasePendingWish():
            return pb.ReleasePendingRequest(request_id=id_, entry=entry, validate_only=dry)
        case _:
            raise TypeError(type(wish).__name__)


def _unit(unit: Unit) -> str:
    return f"UNIT_{unit.name}"


def _line(line: Line) -> pb.AwardLine:
    return pb.AwardLine(
        issuer=line.issuer,
        points=line.points,
        expires_on=date_pb(line.expires_on) if line.expires_on else None,
        unit=_unit(line.unit),
        available_from=None if line.available_from is None else timestamp(instant(line.available_from)),
        campaign=line.campaign,
    )
