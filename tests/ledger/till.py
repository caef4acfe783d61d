"""A partner's till at the running ledger. It seals its own grants, so that a test can have any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TypeVar
from uuid import UUID, uuid4

from coalition.ledger.v1 import ledger_pb2 as pb
from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.type.date_pb2 import Date

from shared.credentials.grants import Grant, GrantRing, Scope
from tests.support.platform import Partner, RunningPlatform

M = TypeVar("M", bound=Message)

SECONDS = 20.0


@dataclass(frozen=True)
class Till:
    """A partner, and the platform it belongs to."""

    platform: RunningPlatform
    partner: Partner

    @property
    def ledger(self) -> LedgerServiceStub:
        return self.partner.calls.ledger

    @cached_property
    def ring(self) -> GrantRing:
        return GrantRing.from_file(self.platform.home.keys / "grants.keys")

    def grant(self, wallet: UUID | None = None, scope: Scope = Scope.REDEEM, **changes: object) -> str:
        """A grant for a wallet, a new one by default; `changes` are fields of the grant."""
        now = self.platform.clock.now()
        grant = Grant(
            wallet_id=wallet or uuid4(),
            partner=self.partner.id,
            scope=scope,
            max_redeem_points=None,
            segments=(),
            issued_at=now,
            expires_at=now + timedelta(days=3650),
            grant_id=uuid4(),
        )
        return self.ring.seal(replace(grant, **changes))  # type: ignore[arg-type]  # the test knows the fields

    def award(self, grant: str, points: int = 100, **more: object) -> pb.Entry:
        return self.ledger.AwardPoints(award(grant, points, **more), timeout=SECONDS)

    def hold(self, grant: str, points: int, **more: object) -> pb.Hold:
        return self.ledger.HoldPoints(hold(grant, points, **more), timeout=SECONDS)

    def redeem(self, grant: str, points: int, **more: object) -> pb.Entry:
        return self.ledger.RedeemPoints(redeem(grant, points, **more), timeout=SECONDS)

    def balance(self, grant: str) -> pb.Balance:
        return self.ledger.GetBalance(pb.GetBalanceRequest(grant=grant), timeout=SECONDS)

    def available(self, grant: str) -> int:
        return self.balance(grant).available


def points(available: int = 0, pending: int = 0, held: int = 0, debt: int = 0) -> pb.Balance:
    """A balance of redeemable points and nothing else."""
    return pb.Balance(available=available, pending=pending, held=held, debt=debt, unit=pb.UNIT_POINTS)


def till_of(platform: RunningPlatform) -> Till:
    """A till of a partner that no other test knows."""
    return Till(platform, platform.partner())


def fresh_id() -> str:
    return str(uuid4())


def award(grant: str, points: int = 100, **more: object) -> pb.AwardPointsRequest:
    return _filled(
        pb.AwardPointsRequest(request_id=fresh_id(), grant=grant, lines=[pb.AwardLine(points=points)]),
        pb.AwardPointsRequest(**more),  # type: ignore[arg-type]  # fields of the message
    )


def hold(grant: str, points: int, **more: object) -> pb.HoldPointsRequest:
    return _filled(
        pb.HoldPointsRequest(request_id=fresh_id(), grant=grant, points=points),
        pb.HoldPointsRequest(**more),  # type: ignore[arg-type]  # as above
    )


def redeem(grant: str, points: int, **more: object) -> pb.RedeemPointsRequest:
    return _filled(
        pb.RedeemPointsRequest(request_id=fresh_id(), grant=grant, points=points),
        pb.RedeemPointsRequest(**more),  # type: ignore[arg-type]  # as above
    )


def capture(hold: pb.Hold, points: int | None = None) -> pb.CaptureHoldRequest:
    return pb.CaptureHoldRequest(request_id=fresh_id(), name=hold.name, points=points)


def release(hold: pb.Hold) -> pb.ReleaseHoldRequest:
    return pb.ReleaseHoldRequest(request_id=fresh_id(), name=hold.name)


def reverse(entry: pb.Entry, points: int | None = None) -> pb.ReverseAwardRequest:
    lines = [] if points is None else [pb.AwardLine(points=points)]
    return pb.ReverseAwardRequest(request_id=fresh_id(), entry=entry.name, lines=lines)


def refund(entry: pb.Entry, points: int | None = None) -> pb.RefundRedemptionRequest:
    return pb.RefundRedemptionRequest(request_id=fresh_id(), entry=entry.name, points=points)


def receipt(number: str = "") -> pb.ReceiptRef:
    day = Date(year=2026, month=1, day=15)
    return pb.ReceiptRef(store="S1", terminal="T1", business_date=day, receipt_no=number or fresh_id())


def after(**units: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(**units))
    return duration


def _filled(message: M, more: M) -> M:
    message.MergeFrom(more)
    return message
