"""From what a member showed to a grant: a number lets a partner award, only a code lets it spend.

Unknown and blocked look alike: the same refusal after the same work. Misses are counted, hits are not; whoever has run
out of misses is answered nothing, right guesses included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coalition.identity.v1 import identity_pb2 as pb

from services.identity.api.pairwise import PairwiseNames
from services.identity.api.views import TYPES
from services.identity.domain.codes import NEVER, SEED_BYTES, CodeInvalid, step_used
from services.identity.domain.identifiers import Identifier, identifier
from services.identity.domain.members import Member, MemberNotFound
from services.identity.domain.misses import MissBudget
from services.identity.store.codes import Codes
from services.identity.store.fresh import Fresh
from services.identity.store.members import Members
from shared.credentials.grants import Grant, GrantRing, Scope
from shared.refusal import Refusal
from shared.rpc.wire import timestamp

_NOBODYS_SEED = bytes(SEED_BYTES)
_SCOPES = {Scope.AWARD: pb.GRANT_SCOPE_AWARD, Scope.REDEEM: pb.GRANT_SCOPE_REDEEM}


@dataclass(frozen=True, slots=True)
class Budgets:
    """How often a partner may be wrong: about anything, and about the code of one member."""

    of_partner: MissBudget
    of_member: MissBudget


class Resolving:
    """Finds members and seals grants."""

    def __init__(
        self,
        members: Members,
        codes: Codes,
        budgets: Budgets,
        pairwise: PairwiseNames,
        grants: GrantRing,
        lifetimes: dict[Scope, timedelta],
        fresh: Fresh,
    ) -> None:
        self._members = members
        self._codes = codes
        self._budgets = budgets
        self._pairwise = pairwise
        self._grants = grants
        self._lifetimes = lifetimes
        self._fresh = fresh

    def to_award(
        self,
        shown: Sequence[pb.Identifier],
        spoiled: Mapping[int, Refusal],
        partner: str,
        at: datetime,
        within: float,
    ) -> list[pb.ResolveMemberResponse | Refusal]:
        """One answer for each identifier, in their order, from one query; those that are spoiled nobody looks for."""
        wanted = [None if place in spoiled else _wanted(item) for place, item in enumerate(shown)]
        found = self._members.found({item for item in wanted if item is not None}, within)
        return [
            spoiled.get(place) or self._award(found.get(item) if item else None, partner, at)
            for place, item in enumerate(wanted)
        ]

    def to_redeem(
        self, request: pb.ResolveMemberRequest, partner: str, at: datetime, within: float
    ) -> pb.ResolveMemberResponse:
        """The answer to an identifier with a code; the code is used up by it."""
        self._not_throttled(self._budgets.of_partner, partner, at)
        wanted = _wanted(request.identifier)
        found = self._codes.found(wanted, within) if wanted else None
        if found is None or not found.member.active:
            step_used(request.code, seed=_NOBODYS_SEED, last_step=NEVER, at=at)  # as long as it takes for a member
            self._budgets.of_partner.count(partner, at)
            raise MemberNotFound
        guessed = f"{partner}/{found.member.member_id}"
        self._not_throttled(self._budgets.of_member, guessed, at)
        step = step_used(request.code, seed=found.seed, last_step=found.last_step, at=at)
        if isinstance(step, CodeInvalid):
            self._budgets.of_partner.count(partner, at)
            self._budgets.of_member.count(guessed, at)
        if isinstance(step, Refusal):
            raise step
        self._codes.use(found.member.member_id, step, within)
        most = request.max_redeem_points if request.HasField("max_redeem_points") else None
        return self._granted(found.member, partner, at, Scope.REDEEM, most)

    def _award(self, member: Member | None, partner: str, at: datetime) -> pb.ResolveMemberResponse | Refusal:
        throttled = self._budgets.of_partner.refusal(partner, at)
        if throttled is not None:
            return throttled
        if member is None or not member.active:
            self._budgets.of_partner.count(partner, at)
            return MemberNotFound()
        return self._granted(member, partner, at, Scope.AWARD, None)

    def _not_throttled(self, budget: MissBudget, who: str, at: datetime) -> None:
        throttled = budget.refusal(who, at)
        if throttled is not None:
            raise throttled

    def _granted(
        self, member: Member, partner: str, at: datetime, scope: Scope, most: int | None
    ) -> pb.ResolveMemberResponse:
        expires_at = at + self._lifetimes[scope]
        grant = Grant(
            wallet_id=member.wallet_id,
            partner=partner,
            scope=scope,
            max_redeem_points=most,
            segments=member.segments,
            issued_at=at,
            expires_at=expires_at,
            grant_id=self._fresh.id(at),
        )
        return pb.ResolveMemberResponse(
            grant=self._grants.seal(grant),
            scope=_SCOPES[scope],
            expire_time=timestamp(expires_at),
            member=self._pairwise.of(member.member_id, partner),
        )


def _wanted(shown: pb.Identifier) -> Identifier | None:
    """What to look for; None for a value that cannot be of its type, which is as unknown as any other."""
    found = identifier(TYPES[shown.type], shown.value, "identifier.value")
    return found if isinstance(found, Identifier) else None
