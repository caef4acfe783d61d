"""Requests to wishes. Who acts comes from the credential, which wallet from the grant, never from the request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, Protocol, TypedDict
from uuid import UUID

from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.ledger.api.names import partner_and_place
from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import OPERATOR, Counterpart, Place, ReceiptRef, Unit
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
    AdjustWish,
    AwardWish,
    CaptureWish,
    ExtendWish,
    HoldWish,
    Line,
    LineKey,
    MergeWish,
    RedeemWish,
    RefundWish,
    ReleasePendingWish,
    ReleaseWish,
    ReverseWish,
    TransferWish,
)
from shared.clock import Clock
from shared.credentials.grants import Grant, GrantRing, Scope
from shared.instants import micros
from shared.refusal import Refusal
from shared.rpc import wire
from shared.rpc.caller import Caller, Role

_SKEW = timedelta(minutes=10)
_MICROSECOND = timedelta(microseconds=1)


class _Asked(Protocol):
    """A request that moves something."""

    request_id: str
    validate_only: bool


class _Dated(Protocol):
    """A request that may say when it happened."""

    @property
    def occurred_at(self) -> Timestamp: ...
    def HasField(self, field_name: Literal["occurred_at"], /) -> bool: ...


class _OfAny(TypedDict):
    bucket: int
    partner: str
    request_id: UUID
    dry: bool


class _OfWallet(_OfAny):
    wallet: UUID


class _OfEntry(_OfAny):
    original: int


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
            **self._of_wallet(grant, request),
            occurred_at=self._occurred(request),
            lines=_lines(request.lines, grant.partner, by),
            receipt=_receipt(request.receipt_ref) if request.HasField("receipt_ref") else None,
        )

    def hold(self, request: pb.HoldPointsRequest, by: Caller) -> HoldWish:
        grant = self.grant(request.grant, Scope.REDEEM, by)
        _check_limit(grant, request.points)
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

    def redeem(self, request: pb.RedeemPointsRequest, by: Caller) -> RedeemWish:
        grant = self.grant(request.grant, Scope.REDEEM, by)
        _check_limit(grant, request.points)
        return RedeemWish(
            **self._of_wallet(grant, request),
            occurred_at=self._occurred(request),
            points=request.points,
            receipt=_receipt(request.receipt_ref) if request.HasField("receipt_ref") else None,
            unit=unit_of(request.unit),
            receipt_points=request.receipt_points if request.HasField("receipt_points") else None,
        )

    def capture(self, request: pb.CaptureHoldRequest, by: Caller) -> CaptureWish:
        partner, place = self.own_hold(request.name, by)
        return CaptureWish(
            **_of_entry(partner, place, request),
            occurred_at=self._occurred(request),
            points=request.points if request.HasField("points") else None,
            receipt=_receipt(request.receipt_ref) if request.HasField("receipt_ref") else None,
            keep_open=request.keep_open,
        )

    def release(self, request: pb.ReleaseHoldRequest, by: Caller) -> ReleaseWish:
        partner, place = self.own_hold(request.name, by)
        return ReleaseWish(
            **_of_entry(partner, place, request),
            occurred_at=self._occurred(request),
            points=request.points if request.HasField("points") else None,
        )

    def extend(self, request: pb.ExtendHoldRequest, by: Caller) -> ExtendWish:
        partner, place = self.own_hold(request.name, by)
        return ExtendWish(
            **_of_entry(partner, place, request),
            ttl=request.ttl.ToTimedelta() // _MICROSECOND,
        )

    def release_pending(self, request: pb.ReleasePendingRequest, by: Caller) -> ReleasePendingWish:
        partner, place = self.own_entry(request.entry, by)
        return ReleasePendingWish(
            **_of_entry(partner, place, request),
            occurred_at=self._occurred(request),
        )

    def transfer(self, request: pb.TransferPointsRequest, by: Caller) -> TransferWish:
        sender = self.grant(request.from_grant, Scope.REDEEM, by)
        _check_limit(sender, request.points)
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

    def reverse(self, request: pb.ReverseAwardRequest, by: Caller) -> ReverseWish:
        partner, place = self.own_entry(request.entry, by)
        return ReverseWish(
            **_of_entry(partner, place, request),
            occurred_at=self._occurred(request),
            lines=_lines(request.lines, partner, by),
        )

    def refund(self, request: pb.RefundRedemptionRequest, by: Caller) -> RefundWish:
        partner, place = self.own_entry(request.entry, by)
        return RefundWish(
            **_of_entry(partner, place, request),
            occurred_at=self._occurred(request),
            points=request.points if request.HasField("points") else None,
        )

    def as_of(self, at: Timestamp) -> int:
        """A moment that a question is about. Raises OccurredInFuture: of tomorrow nothing is recorded."""
        moment, now = wire.instant(at, "as_of"), self._clock.now()
        if moment > now + _SKEW:
            raise OccurredInFuture(field="as_of", occurred_at=moment.isoformat(), now=now.isoformat())
        return micros(moment)

    def own_entry(self, name: str, by: Caller) -> tuple[str, Place]:
        """The partner and place that an entry's name says. Raises EntryNotFound for another partner's."""
        return self._own(name, by, EntryNotFound(entry=name))

    def own_hold(self, name: str, by: Caller) -> tuple[str, Place]:
        """The partner and place that a hold's name says. Raises HoldNotFound for another partner's."""
        return self._own(name, by, HoldNotFound(hold=name))

    def _of_wallet(self, grant: Grant, request: _Asked, by: str | None = None) -> _OfWallet:
        """What every wish about a wallet says: whose it is comes from the grant, unless somebody else acts."""
        return {
            "bucket": self.bucket(grant.wallet_id),
            "wallet": grant.wallet_id,
            "partner": by or grant.partner,
            "request_id": UUID(request.request_id),
            "dry": request.validate_only,
        }

    def _occurred(self, request: _Dated) -> int | None:
        """When it happened, None when the caller leaves that to us. A till's clock may be a little ahead of ours."""
        if not request.HasField("occurred_at"):
            return None
        instant, now = wire.instant(request.occurred_at, "occurred_at"), self._clock.now()
        if instant > now + _SKEW:
            raise OccurredInFuture(field="occurred_at", occurred_at=instant.isoformat(), now=now.isoformat())
        if instant < now - timedelta(days=self._late_days):
            raise OccurredTooLongAgo(field="occurred_at", occurred_at=instant.isoformat(), days=self._late_days)
        return micros(instant)

    def _counterpart(self, grant: Grant) -> Counterpart:
        return Counterpart(self.bucket(grant.wallet_id), grant.wallet_id)

    def _own(self, name: str, by: Caller, missing: Refusal) -> tuple[str, Place]:
        partner, place = partner_and_place(name, self._bucket_count, missing)
        if by.role is Role.PARTNER and by.partner != partner:
            raise missing
        return partner, place


def _of_entry(partner: str, place: Place, request: _Asked) -> _OfEntry:
    """What every wish about an entry says."""
    return {
        "bucket": place.bucket,
        "original": place.seq,
        "partner": partner,
        "request_id": UUID(request.request_id),
        "dry": request.validate_only,
    }


def _check_limit(grant: Grant, points: int) -> None:
    if grant.max_redeem_points is not None and points > grant.max_redeem_points:
        raise GrantScopeExceeded(allowed=grant.max_redeem_points, requested=points)


def unit_of(unit: pb.Unit) -> Unit:
    """What is counted; where nothing is said, redeemable points."""
    return Unit(unit) if unit else Unit.POINTS


def _lines(lines: Sequence[pb.AwardLine], partner: str, by: Caller) -> tuple[Line, ...]:
    """Award lines with their issuers. A partner speaks for itself; the catalogue for every payer of a rule."""
    found = tuple([_line(message, partner) for message in lines])
    for line in found:
        if line.issuer != partner and by.role is Role.PARTNER:
            raise IssuerNotAllowed(issuer=line.issuer)
    if len(found) > 1:
        _check_apart(found)
    return found


def _check_apart(lines: Sequence[Line]) -> None:
    """No two lines may be about the same."""
    seen: set[LineKey] = set()
    for line in lines:
        key = line.key
        if key in seen:
            raise IssuerTwice(issuer=line.issuer, unit=line.unit.name, campaign=line.campaign, field="lines")
        seen.add(key)


def _line(line: pb.AwardLine, partner: str) -> Line:
    available_from = (
        wire.instant(line.available_from, "lines.available_from") if line.HasField("available_from") else None
    )
    return Line(
        line.issuer or partner,
        line.points,
        wire.day(line.expires_on, "lines.expires_on") if line.HasField("expires_on") else None,
        unit_of(line.unit),
        None if available_from is None else micros(available_from),
        line.campaign,
    )


def _receipt(ref: pb.ReceiptRef) -> ReceiptRef:
    day = wire.day(ref.business_date, "receipt_ref.business_date")
    return ReceiptRef(ref.store, ref.terminal, day, ref.receipt_no)
