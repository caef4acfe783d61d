"""What every request says: on which wallet or entry, by whom, when."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Protocol, TypedDict
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from services.ledger.api.names import partner_and_place
from services.ledger.domain.apply import bucket_of
from services.ledger.domain.entry import Counterpart, Place
from services.ledger.domain.refusals.entries import EntryNotFound
from services.ledger.domain.refusals.holds import HoldNotFound
from services.ledger.domain.refusals.requests import OccurredInFuture, OccurredTooLongAgo
from services.ledger.domain.refusals.spending import GrantScopeExceeded
from shared.clock import Clock
from shared.credentials.grants import Grant, GrantRing, Scope
from shared.instants import micros
from shared.refusal import Refusal
from shared.rpc import wire
from shared.rpc.caller import Caller, Role

_SKEW = timedelta(minutes=10)


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


class Sources:
    """Reads them off grants and names. Raises the refusals of both."""

    def __init__(self, grants: GrantRing, clock: Clock, bucket_count: int, late_days: int) -> None:
        self._grants = grants
        self._clock = clock
        self._bucket_count = bucket_count
        self._late_days = late_days

    def grant(self, token: str, for_: Scope, by: Caller) -> Grant:
        return self._grants.opened(token, for_=for_, by=by, at=self._clock.now())

    def grant_to_spend(self, points: int, token: str, by: Caller) -> Grant:
        """The same for a grant that must allow so many points. Raises GrantScopeExceeded."""
        grant = self.grant(token, Scope.REDEEM, by)
        if grant.max_redeem_points is not None and points > grant.max_redeem_points:
            raise GrantScopeExceeded(allowed=grant.max_redeem_points, requested=points)
        return grant

    def bucket(self, wallet: UUID) -> int:
        return bucket_of(wallet, self._bucket_count)

    def own_entry(self, name: str, by: Caller) -> tuple[str, Place]:
        """The partner and place that an entry's name says. Raises EntryNotFound for another partner's."""
        return self._own(name, by, EntryNotFound(entry=name))

    def own_hold(self, name: str, by: Caller) -> tuple[str, Place]:
        """The partner and place that a hold's name says. Raises HoldNotFound for another partner's."""
        return self._own(name, by, HoldNotFound(hold=name))

    def as_of(self, at: Timestamp) -> int:
        """A moment that a question is about. Raises OccurredInFuture: of tomorrow nothing is recorded."""
        moment, now = wire.instant(at, "as_of"), self._clock.now()
        if moment > now + _SKEW:
            raise OccurredInFuture(field="as_of", occurred_at=moment.isoformat(), now=now.isoformat())
        return micros(moment)

    def _of_wallet(self, grant: Grant, request: _Asked, by: str | None = None) -> _OfWallet:
        """What every wish about a wallet says: whose it is comes from the grant, unless somebody else acts."""
        return {
            "bucket": self.bucket(grant.wallet_id),
            "wallet": grant.wallet_id,
            "partner": by or grant.partner,
            "request_id": UUID(request.request_id),
            "dry": request.validate_only,
        }

    @staticmethod
    def _of_entry(partner: str, place: Place, request: _Asked) -> _OfEntry:
        """What every wish about an entry says."""
        return {
            "bucket": place.bucket,
            "original": place.seq,
            "partner": partner,
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
