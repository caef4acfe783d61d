"""MemberService: members, and how they are found."""

from __future__ import annotations

from uuid import UUID

import grpc
from coalition.identity.v1 import identity_pb2 as pb
from coalition.identity.v1 import identity_pb2_grpc as rpc
from google.rpc.status_pb2 import Status

from services.identity.api.enrolling import Enrolling
from services.identity.api.names import uuid_in
from services.identity.api.pairwise import PairwiseNames
from services.identity.api.resolving import Resolving
from services.identity.api.texts import legible
from services.identity.api.views import TYPES, for_operator, for_partner
from services.identity.domain.identifiers import chosen_identifier
from services.identity.domain.members import MemberNotFound, MemberState
from services.identity.domain.partners import OPERATOR
from services.identity.store.members import Members
from shared.clock import Clock
from shared.refusal import Refusal
from shared.rpc.batch import spoiled
from shared.rpc.call import CallContext
from shared.rpc.caller import Role, caller
from shared.rpc.deadline import time_left
from shared.rpc.refusals import status_of
from shared.rpc.replay import mark_replay


class MemberService(rpc.MemberServiceServicer):
    """The operator keeps members; partners enrol and resolve them and see them under pairwise names."""

    def __init__(
        self, members: Members, enrolling: Enrolling, resolving: Resolving, pairwise: PairwiseNames, clock: Clock
    ) -> None:
        self._members = members
        self._enrolling = enrolling
        self._resolving = resolving
        self._pairwise = pairwise
        self._clock = clock

    def EnrolMember(self, request: pb.EnrolMemberRequest, context: grpc.ServicerContext) -> pb.Member:
        by = caller(context)
        [answer] = self._enrolling.answers([request], {}, by, self._clock.now(), time_left(context))
        if isinstance(answer, Refusal):
            raise answer
        if answer.replay:
            mark_replay(context)
        return self._enrolling.view(answer, by)

    def BatchEnrolMembers(
        self, request: pb.BatchEnrolMembersRequest, context: grpc.ServicerContext
    ) -> pb.BatchEnrolMembersResponse:
        by = caller(context)
        answers = self._enrolling.answers(request.items, spoiled(context), by, self._clock.now(), time_left(context))
        results = [
            pb.EnrolResult(refusal=_status(answer, context))
            if isinstance(answer, Refusal)
            else pb.EnrolResult(member=self._enrolling.view(answer, by))
            for answer in answers
        ]
        return pb.BatchEnrolMembersResponse(results=results)

    def GetMember(self, request: pb.GetMemberRequest, context: grpc.ServicerContext) -> pb.Member:
        partner, within = caller(context).partner, time_left(context)
        if partner is None:
            return for_operator(*self._members.opened(self._member_in(request.name), within))
        if not request.name.startswith(f"partners/{partner}/"):
            raise MemberNotFound
        member = self._members.get(self._member_in(request.name), within)
        if not member.active:
            raise MemberNotFound
        return for_partner(member, request.name)

    def AddIdentifier(self, request: pb.AddIdentifierRequest, context: grpc.ServicerContext) -> pb.Member:
        shown = request.identifier
        identifier = chosen_identifier(TYPES[shown.type], shown.value, "identifier.value")
        if isinstance(identifier, Refusal):
            raise identifier
        member_id, by = self._member_in(request.name), caller(context).principal
        return for_operator(
            *self._members.add_identifier(member_id, identifier, by, self._clock.now(), time_left(context))
        )

    def BlockMember(self, request: pb.BlockMemberRequest, context: grpc.ServicerContext) -> pb.Member:
        return self._set_state(request.name, MemberState.BLOCKED, request.reason, context)

    def UnblockMember(self, request: pb.UnblockMemberRequest, context: grpc.ServicerContext) -> pb.Member:
        return self._set_state(request.name, MemberState.ACTIVE, request.reason, context)

    def SetSegments(self, request: pb.SetSegmentsRequest, context: grpc.ServicerContext) -> pb.Member:
        member_id, by = self._member_in(request.name), caller(context).principal
        return for_operator(
            *self._members.set_segments(member_id, request.segments, by, self._clock.now(), time_left(context))
        )

    def ResolveMember(
        self, request: pb.ResolveMemberRequest, context: grpc.ServicerContext
    ) -> pb.ResolveMemberResponse:
        by, at, within = caller(context), self._clock.now(), time_left(context)
        partner = OPERATOR if by.role is Role.OPERATOR else by.as_partner()
        if request.code:
            return self._resolving.to_redeem(request, partner, at, within)
        [answer] = self._resolving.to_award([request.identifier], {}, partner, at, within)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def BatchResolveMembers(
        self, request: pb.BatchResolveMembersRequest, context: grpc.ServicerContext
    ) -> pb.BatchResolveMembersResponse:
        partner, at, within = caller(context).as_partner(), self._clock.now(), time_left(context)
        results = [
            pb.ResolveResult(refusal=_status(answer, context))
            if isinstance(answer, Refusal)
            else pb.ResolveResult(resolved=answer)
            for answer in self._resolving.to_award(request.identifiers, spoiled(context), partner, at, within)
        ]
        return pb.BatchResolveMembersResponse(results=results)

    def _set_state(self, name: str, state: MemberState, reason: str, context: grpc.ServicerContext) -> pb.Member:
        member_id, by = self._member_in(name), caller(context).principal
        at, within = self._clock.now(), time_left(context)
        return for_operator(*self._members.set_state(member_id, state, legible(reason, "reason"), by, at, within))

    def _member_in(self, name: str) -> UUID:
        """Whom a name of either form names."""
        member_id = uuid_in(name) if name.startswith("members/") else self._pairwise.member_id(name)
        if member_id is None:
            raise MemberNotFound
        return member_id


def _status(refusal: Refusal, context: grpc.ServicerContext) -> Status:
    """A refusal as a batch carries it: as it would have been answered to a single call."""
    return status_of(refusal, context.call_id if isinstance(context, CallContext) else "")
