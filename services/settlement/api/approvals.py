"""Four eyes over the wire: what was proposed, and one other person's yes or no to exactly that."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

import grpc
from coalition.settlement.v1 import approvals_pb2 as pb
from coalition.settlement.v1 import approvals_pb2_grpc as rpc
from sqlalchemy import Connection

from services.settlement.domain.proposal import Proposal, difference
from services.settlement.store import proposals, requests
from services.settlement.store.proposals import Effects
from shared.canonical import canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.replay import mark_replay
from shared.rpc.wire import timestamp

_NAMES = {number: name.removeprefix("PROPOSAL_STATE_") for name, number in pb.ProposalState.items() if number}


class ApprovalServicer(rpc.ApprovalServiceServicer):
    """Shows proposals and has them decided. `then` is called after each decision: work may have become possible."""

    def __init__(
        self,
        sessions: Sessions,
        effects: Effects,
        declined: Effects,
        clock: Clock,
        page_key: bytes,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        self._sessions = sessions
        self._effects = effects
        self._declined = declined
        self._clock = clock
        self._page_key = page_key
        self._then = then

    def GetProposal(self, request: pb.GetProposalRequest, context: grpc.ServicerContext) -> pb.Proposal:
        with self._sessions.reading(time_left(context)) as connection:
            return _whole(connection, proposals.found(connection, request.name))

    def ListProposals(
        self, request: pb.ListProposalsRequest, context: grpc.ServicerContext
    ) -> pb.ListProposalsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListProposals", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.reading(time_left(context)) as connection:
            found = proposals.page(
                connection,
                int(position[0]) if position else 0,
                size + 1,
                _NAMES.get(request.state, ""),
                request.kind,
                request.subject,
            )
        last = found[size - 1].name.removeprefix("proposals/") if len(found) > size else ""
        token = seal_page(self._page_key, bound, [int(last)]) if last else ""
        return pb.ListProposalsResponse(proposals=[proposal_pb(one) for one in found[:size]], next_page_token=token)

    def Approve(self, request: pb.ApproveRequest, context: grpc.ServicerContext) -> pb.Proposal:
        by, at = caller(context).principal, self._clock.now()

        def approve(connection: Connection) -> None:
            proposals.approve(connection, request.name, request.sha256, by, at, self._effects)

        return self._decided("Approve", request.request_id, request.name, [request.sha256], approve, context)

    def Decline(self, request: pb.DeclineRequest, context: grpc.ServicerContext) -> pb.Proposal:
        by, at = caller(context).principal, self._clock.now()

        def decline(connection: Connection) -> None:
            proposals.decline(connection, request.name, request.sha256, by, at, request.why, self._declined)

        meaning = [request.sha256, request.why.encode()]
        return self._decided("Decline", request.request_id, request.name, meaning, decline, context)

    def _decided(
        self,
        method: str,
        request_id: str,
        name: str,
        meaning: list[bytes],
        decide: Callable[[Connection], None],
        context: grpc.ServicerContext,
    ) -> pb.Proposal:
        who = caller(context).principal
        body = sha256(canonical([who, name, *[part.hex() for part in meaning]])).digest()
        with self._sessions.writing(time_left(context)) as connection:
            if requests.once(connection, UUID(request_id), method, body):
                mark_replay(context)
            else:
                decide(connection)
                requests.remember(connection, UUID(request_id), method, body, name, self._clock.now())
            answer = _whole(connection, proposals.found(connection, name))
        self._then()
        return answer


def proposal_pb(one: Proposal) -> pb.Proposal:
    """A proposal for the wire, without its content."""
    return pb.Proposal(
        name=one.name,
        kind=one.kind.value,
        subject=one.subject,
        state=f"PROPOSAL_STATE_{one.state}",
        sha256=one.sha256,
        proposed_by=one.proposed_by,
        propose_time=timestamp(one.proposed_at),
        decided_by=one.decided_by,
        decide_time=timestamp(one.decided_at) if one.decided_at else None,
        why=one.why,
    )


def _whole(connection: Connection, one: Proposal) -> pb.Proposal:
    """With its content and what that changes."""
    before = proposals.replaced(connection, one.name)
    answer = proposal_pb(one)
    answer.content = one.document
    answer.replaces = before.name if before else ""
    for change in difference(before.content if before else {}, one.content):
        answer.changes.add(path=change.path, before=change.before, after=change.after)
    return answer
