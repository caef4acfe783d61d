"""Requests to wishes. Who acts comes from the credential, which wallet from the grant, never from the request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.ledger.api.names import partner_and_place
from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import Place, ReceiptRef
from services.ledger.domain.refusals import (
    EntryNotFound,
    GrantScopeExceeded,
    HoldNotFound,
    IssuerNotAllowed,
    IssuerTwice,
    OccurredInFuture,
    OccurredTooLongAgo,
)
from services.ledger.domain.wish import (
    AwardWish,
    CaptureWish,
    HoldWish,
    Line,
    RedeemWish,
    RefundWish,
    ReleaseWish,
    ReverseWish,
)
from shared.clock import Clock
from shared.credentials.grants import Grant, GrantRing, Scope
from shared.instants import micros
from shared.refusal import Refusal
from shared.rpc import wire
from shared.rpc.caller import Caller, Role

_SKEW = timedelta(minutes=10)


class Wishes:
    """Makes wishes from requests. Raises the refusals of grants and names."""

    def __init__(self, grants: GrantRing, clock: Clock, bucket_count: int, hold_seconds: int, late_days: int) -> None:
        self._grants = grants
        self._clock = clock
        self._bucket_count = bucket_count
        self._hold_seconds = hold_seconds
        self._late_days = late_days

    def grant(self, token: str, for_: Scope, by: Caller) -> Grant:
        return self._grants.opened(token, for_=for_, by=by, at=self._clock.now())

    def bucket(self, wallet: UUID) -> int:
        return bucket_of(wallet, self._bucket_count)

    def award(self, request: pb.AwardPointsRequest, by: Caller) -> AwardWish:
        grant = self.grant(request.grant, Scope.AWARD, by)
        return AwardWish(
            bucket=self.bucket(grant.wallet_id),
            wallet=grant.wallet_id,
            partner=grant.partner,
            request_id=UUID(request.request_id),
            occurred_at=self._occurred(request.occurred_at if request.HasField("occurred_at") else None),
            lines=_lines(request.lines, grant.partner, by),
            receipt=_receipt(request.receipt_ref) if request.HasField("receipt_ref") else None,
        )

    def hold(self, request: pb.HoldPointsRequest, by: Caller) -> HoldWish:
        grant = self.grant(request.grant, Scope.REDEEM, by)
        _check_limit(grant, request.points)
        ttl = request.ttl.ToTimedelta() if request.HasField("ttl") else timedelta(seconds=self._hold_seconds)
        return HoldWish(
            bucket=self.bucket(grant.wallet_id),
            wallet=grant.wallet_id,
            partner=grant.partner,
            request_id=UUID(request.request_id),
            occurred_at=self._occurred(request.occurred_at if request.HasField("occurred_at") else None),
            points=request.points,
            ttl=ttl // timedelta(microseconds=1),
            store=request.store or None,
            terminal=request.terminal or None,
        )

    def redeem(self, request: pb.RedeemPointsRequest, by: Caller) -> RedeemWish:
        grant = self.grant(request.grant, Scope.REDEEM, by)
        _check_limit(grant, request.points)
        return RedeemWish(
            bucket=self.bucket(grant.wallet_id),
            wallet=grant.wallet_id,
            partner=grant.partner,
            request_id=UUID(request.request_id),
            occurred_at=self._occurred(request.occurred_at if request.HasField("occurred_at") else None),
            points=request.points,
            receipt=_receipt(request.receipt_ref) if request.HasField("receipt_ref") else None,
        )

    def capture(self, request: pb.CaptureHoldRequest, by: Caller) -> CaptureWish:
        partner, place = self.own_hold(request.name, by)
        return CaptureWish(
            bucket=place.bucket,
            original=place.seq,
            partner=partner,
            request_id=UUID(request.request_id),
            occurred_at=self._occurred(request.occurred_at if request.HasField("occurred_at") else None),
            points=request.points if request.HasField("points") else None,
            receipt=_receipt(request.receipt_ref) if request.HasField("receipt_ref") else None,
        )

    def release(self, request: pb.ReleaseHoldRequest, by: Caller) -> ReleaseWish:
        partner, place = self.own_hold(request.name, by)
        return ReleaseWish(
            bucket=place.bucket,
            original=place.seq,
            partner=partner,
            request_id=UUID(request.request_id),
            occurred_at=self._occurred(request.occurred_at if request.HasField("occurred_at") else None),
        )

    def reverse(self, request: pb.ReverseAwardRequest, by: Caller) -> ReverseWish:
        partner, place = self.own_entry(request.entry, by)
        return ReverseWish(
            bucket=place.bucket,
            original=place.seq,
            partner=partner,
            request_id=UUID(request.request_id),
            occurred_at=self._occurred(request.occurred_at if request.HasField("occurred_at") else None),
            lines=_lines(request.lines, partner, by),
        )

    def refund(self, request: pb.RefundRedemptionRequest, by: Caller) -> RefundWish:
        partner, place = self.own_entry(request.entry, by)
        return RefundWish(
            bucket=place.bucket,
            original=place.seq,
            partner=partner,
            request_id=UUID(request.request_id),
            occurred_at=self._occurred(request.occurred_at if request.HasField("occurred_at") else None),
            points=request.points if request.HasField("points") else None,
        )

    def own_entry(self, name: str, by: Caller) -> tuple[str, Place]:
        """The partner and place that an entry's name says. Raises EntryNotFound for another partner's."""
        return self._own(name, by, EntryNotFound(entry=name))

    def own_hold(self, name: str, by: Caller) -> tuple[str, Place]:
        """The partner and place that a hold's name says. Raises HoldNotFound for another partner's."""
        return self._own(name, by, HoldNotFound(hold=name))

    def _occurred(self, at: Timestamp | None) -> int | None:
        """When it happened, None when the caller leaves that to us. A till's clock may be a little ahead of ours."""
        if at is None:
            return None
        instant, now = wire.instant(at, "occurred_at"), self._clock.now()
        if instant > now + _SKEW:
            raise OccurredInFuture(field="occurred_at", occurred_at=instant.isoformat(), now=now.isoformat())
        if instant < now - timedelta(days=self._late_days):
            raise OccurredTooLongAgo(field="occurred_at", occurred_at=instant.isoformat(), days=self._late_days)
        return micros(instant)

    def _own(self, name: str, by: Caller, missing: Refusal) -> tuple[str, Place]:
        partner, place = partner_and_place(name, self._bucket_count, missing)
        if by.role is Role.PARTNER and by.partner != partner:
            raise missing
        return partner, place


def _check_limit(grant: Grant, points: int) -> None:
    if grant.max_redeem_points is not None and points > grant.max_redeem_points:
        raise GrantScopeExceeded(allowed=grant.max_redeem_points, requested=points)


def _lines(lines: Sequence[pb.AwardLine], partner: str, by: Caller) -> tuple[Line, ...]:
    """Award lines with their issuers. A partner speaks for itself; the catalogue for every payer of a rule."""
    found: dict[str, Line] = {}
    for line in lines:
        issuer = line.issuer or partner
        if issuer != partner and by.role is Role.PARTNER:
            raise IssuerNotAllowed(issuer=issuer)
        if issuer in found:
            raise IssuerTwice(issuer=issuer, field="lines")
        expires_on = wire.day(line.expires_on, "lines.expires_on") if line.HasField("expires_on") else None
        found[issuer] = Line(issuer, line.points, expires_on)
    return tuple(found.values())


def _receipt(ref: pb.ReceiptRef) -> ReceiptRef:
    day = wire.day(ref.business_date, "receipt_ref.business_date")
    return ReceiptRef(ref.store, ref.terminal, day, ref.receipt_no)
