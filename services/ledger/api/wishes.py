"""Requests to wishes. Who acts comes from the credential, which wallet from the grant, never from the request."""

from __future__ import annotations

from datetime import timedelta

from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api.parts import lines_of, receipt_of, unit_of
from services.ledger.api.sources import Sources
from services.ledger.domain.entry import OPERATOR
from services.ledger.domain.wish import (
    AdjustWish,
    AwardWish,
    CaptureWish,
    ExtendWish,
    HoldWish,
    MergeWish,
    RedeemWish,
    RefundWish,
    ReleasePendingWish,
    ReleaseWish,
    ReverseWish,
    TransferWish,
)
from shared.clock import Clock
from shared.credentials.grants import GrantRing, Scope
from shared.rpc import wire
from shared.rpc.caller import Caller

_MICROSECOND = timedelta(microseconds=1)


class Wishes(Sources):
    """Makes wishes from requests. Raises the refusals of grants and names."""

    def __init__(self, grants: GrantRing, clock: Clock, bucket_count: int, hold_seconds: int, late_days: int) -> None:
        super().__init__(grants, clock, bucket_count, late_days)
        self._hold_seconds = hold_seconds

    def award(self, request: pb.AwardPointsRequest, by: Caller) -> AwardWish:
        grant = self.grant(request.grant, Scope.AWARD, by)
        return AwardWish(
            **self._of_wallet(grant, request),
            occurred_at=self._occurred(request),
            lines=lines_of(request.lines, grant.partner, by),
            receipt=receipt_of(request.receipt_ref) if request.HasField("receipt_ref") else None,
        )

    def reverse(self, request: pb.ReverseAwardRequest, by: Caller) -> ReverseWish:
        partner, place = self.own_entry(request.entry, by)
        return ReverseWish(
            **self._of_entry(partner, place, request),
            occurred_at=self._occurred(request),
            lines=lines_of(request.lines, partner, by),
        )

    def release_pending(self, request: pb.ReleasePendingRequest, by: Caller) -> ReleasePendingWish:
        partner, place = self.own_entry(request.entry, by)
        return ReleasePendingWish(
            **self._of_entry(partner, place, request),
            occurred_at=self._occurred(request),
        )

    def hold(self, request: pb.HoldPointsRequest, by: Caller) -> HoldWish:
        grant = self.grant_to_spend(request.points, request.grant, by)
        ttl = request.ttl.ToTimedelta() if request.HasField("ttl") else timedelta(seconds=self._hold_seconds)
        return HoldWish(
            **self._of_wallet(grant, request),
            occurred_at=self._occurred(request),
            points=request.points,
            ttl=ttl // _MICROSECOND,
            store=request.store or None,
            terminal=request.terminal or None,
            unit=unit_of(request.unit),
            receipt_points=request.receipt_points if request.HasField("receipt_points") else None,
        )

    def capture(self, request: pb.CaptureHoldRequest, by: Caller) -> CaptureWish:
        partner, place = self.own_hold(request.name, by)
        return CaptureWish(
            **self._of_entry(partner, place, request),
            occurred_at=self._occurred(request),
            points=request.points if request.HasField("points") else None,
            receipt=receipt_of(request.receipt_ref) if request.HasField("receipt_ref") else None,
            keep_open=request.keep_open,
        )

    def release(self, request: pb.ReleaseHoldRequest, by: Caller) -> ReleaseWish:
        partner, place = self.own_hold(request.name, by)
        return ReleaseWish(
            **self._of_entry(partner, place, request),
            occurred_at=self._occurred(request),
            points=request.points if request.HasField("points") else None,
        )

    def extend(self, request: pb.ExtendHoldRequest, by: Caller) -> ExtendWish:
        partner, place = self.own_hold(request.name, by)
        return ExtendWish(
            **self._of_entry(partner, place, request),
            ttl=request.ttl.ToTimedelta() // _MICROSECOND,
        )

    def redeem(self, request: pb.RedeemPointsRequest, by: Caller) -> RedeemWish:
        grant = self.grant_to_spend(request.points, request.grant, by)
        return RedeemWish(
            **self._of_wallet(grant, request),
            occurred_at=self._occurred(request),
            points=request.points,
            receipt=receipt_of(request.receipt_ref) if request.HasField("receipt_ref") else None,
            unit=unit_of(request.unit),
            receipt_points=request.receipt_points if request.HasField("receipt_points") else None,
        )

    def refund(self, request: pb.RefundRedemptionRequest, by: Caller) -> RefundWish:
        partner, place = self.own_entry(request.entry, by)
        return RefundWish(
            **self._of_entry(partner, place, request),
            occurred_at=self._occurred(request),
            points=request.points if request.HasField("points") else None,
        )

    def transfer(self, request: pb.TransferPointsRequest, by: Caller) -> TransferWish:
        sender = self.grant_to_spend(request.points, request.from_grant, by)
        return TransferWish(
            **self._of_wallet(sender, request),
            to=self._counterpart(self.grant(request.to_grant, Scope.AWARD, by)),
            points=request.points,
            unit=unit_of(request.unit),
        )

    def merge(self, request: pb.MergeWalletsRequest, by: Caller) -> MergeWish:
        source = self.grant(request.from_grant, Scope.AWARD, by)
        return MergeWish(
            **self._of_wallet(source, request, by=OPERATOR),
            to=self._counterpart(self.grant(request.to_grant, Scope.AWARD, by)),
        )

    def adjustment(self, request: pb.ProposeAdjustmentRequest, by: Caller) -> AdjustWish:
        """As proposed: nobody has approved it yet."""
        grant = self.grant(request.grant, Scope.AWARD, by)
        return AdjustWish(
            **self._of_wallet(grant, request, by=OPERATOR),
            issuer=request.issuer,
            points=request.points,
            taking=request.taking,
            reason=request.reason,
            proposed_by=by.principal,
            approved_by="",
            unit=unit_of(request.unit),
            expires_on=wire.day(request.expires_on, "expires_on") if request.HasField("expires_on") else None,
        )
