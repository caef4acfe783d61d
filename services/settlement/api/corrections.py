"""Corrections over the wire: adjustments that two persons decide, and disputes between a partner and the operator."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import grpc
from coalition.settlement.v1 import corrections_pb2 as pb
from coalition.settlement.v1 import corrections_pb2_grpc as rpc
from sqlalchemy import Connection

from services.settlement.api.once import Once
from services.settlement.domain.dispute import DisputeReason
from services.settlement.domain.refusals import StatementNotFound
from services.settlement.store import adjustments, disputes
from services.settlement.store.adjustments import Adjustment, Wanted
from services.settlement.store.disputes import Dispute, Objection
from shared.canonical import Canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc import wire
from shared.rpc.caller import Caller, Role, caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page

_REASONS = {
    number: DisputeReason(name.removeprefix("DISPUTE_REASON_")) for name, number in pb.DisputeReason.items() if number
}


class CorrectionServicer(rpc.CorrectionServiceServicer):
    """`answer_within`: how long the operator has to answer a dispute before it escalates by itself."""

    def __init__(self, sessions: Sessions, clock: Clock, page_key: bytes, answer_within: timedelta) -> None:
        self._sessions = sessions
        self._clock = clock
        self._page_key = page_key
        self._answer_within = answer_within
        self._once = Once(sessions, clock)

    def ProposeAdjustment(self, request: pb.ProposeAdjustmentRequest, context: grpc.ServicerContext) -> pb.Adjustment:
        by, at, wanted = caller(context).principal, self._clock.now(), _wanted(request.adjustment)

        def propose(connection: Connection) -> str:
            return adjustments.propose(connection, wanted, by, at, UUID(request.request_id)).name

        meaning: Canonical = [*wanted[:4], int(wanted.in_money), wanted.reason]
        name = self._once("ProposeAdjustment", request.request_id, meaning, context, propose)
        with self._sessions.reading(time_left(context)) as connection:
            return _adjustment_pb(adjustments.found(connection, name))

    def GetAdjustment(self, request: pb.GetAdjustmentRequest, context: grpc.ServicerContext) -> pb.Adjustment:
        with self._sessions.reading(time_left(context)) as connection:
            return _adjustment_pb(adjustments.found(connection, request.name))

    def ListAdjustments(
        self, request: pb.ListAdjustmentsRequest, context: grpc.ServicerContext
    ) -> pb.ListAdjustmentsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListAdjustments", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.snapshot(time_left(context)) as connection:
            found = adjustments.page(connection, int(position[0]) if position else 0, size + 1)
        token = seal_page(self._page_key, bound, [found[size - 1].number]) if len(found) > size else ""
        answers = [_adjustment_pb(one) for one in found[:size]]
        return pb.ListAdjustmentsResponse(adjustments=answers, next_page_token=token)

    def OpenDispute(self, request: pb.OpenDisputeRequest, context: grpc.ServicerContext) -> pb.Dispute:
        by, at, one = caller(context), self._clock.now(), _objection(request.dispute)
        if one.partner != by.as_partner():
            raise StatementNotFound(statement=request.dispute.statement)

        def open_(connection: Connection) -> str:
            return disputes.open_(connection, one, self._answer_within, by.principal, at).name

        meaning: Canonical = [one.partner, one.window, one.line, one.points, one.reason.value, one.statement]
        return self._dispute(self._once("OpenDispute", request.request_id, meaning, context, open_), context)

    def AnswerDispute(self, request: pb.AnswerDisputeRequest, context: grpc.ServicerContext) -> pb.Dispute:
        by, at, etag = caller(context).principal, self._clock.now(), wire.etag_of(request.etag)

        def answer(connection: Connection) -> str:
            if request.upheld_points:
                facts = (request.name, request.upheld_points, request.answer, etag, by, at)
                return disputes.accept(connection, *facts).name
            return disputes.reject(connection, request.name, request.answer, etag, by, at).name

        meaning: Canonical = [request.name, request.upheld_points, request.answer]
        return self._dispute(self._once("AnswerDispute", request.request_id, meaning, context, answer), context)

    def EscalateDispute(self, request: pb.EscalateDisputeRequest, context: grpc.ServicerContext) -> pb.Dispute:
        by, at, etag = caller(context), self._clock.now(), wire.etag_of(request.etag)

        def escalate(connection: Connection) -> str:
            disputes.found(connection, request.name, _own(by))
            return disputes.escalate(connection, request.name, request.reason, etag, by.principal, at).name

        meaning: Canonical = [request.name, request.reason]
        return self._dispute(self._once("EscalateDispute", request.request_id, meaning, context, escalate), context)

    def WithdrawDispute(self, request: pb.WithdrawDisputeRequest, context: grpc.ServicerContext) -> pb.Dispute:
        by, at, etag = caller(context), self._clock.now(), wire.etag_of(request.etag)

        def withdraw(connection: Connection) -> str:
            disputes.found(connection, request.name, by.as_partner())
            return disputes.withdraw(connection, request.name, etag, by.principal, at).name

        return self._dispute(
            self._once("WithdrawDispute", request.request_id, request.name, context, withdraw), context
        )

    def GetDispute(self, request: pb.GetDisputeRequest, context: grpc.ServicerContext) -> pb.Dispute:
        with self._sessions.reading(time_left(context)) as connection:
            return _dispute_pb(disputes.found(connection, request.name, _own(caller(context))))

    def ListDisputes(self, request: pb.ListDisputesRequest, context: grpc.ServicerContext) -> pb.ListDisputesResponse:
        by = caller(context)
        size, bound = page_size(request.page_size), query_fingerprint("ListDisputes", by, request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.snapshot(time_left(context)) as connection:
            found = disputes.page(connection, int(position[0]) if position else 0, size + 1, _own(by))
        token = seal_page(self._page_key, bound, [found[size - 1].number]) if len(found) > size else ""
        return pb.ListDisputesResponse(disputes=[_dispute_pb(one) for one in found[:size]], next_page_token=token)

    def _dispute(self, name: str, context: grpc.ServicerContext) -> pb.Dispute:
        with self._sessions.reading(time_left(context)) as connection:
            return _dispute_pb(disputes.found(connection, name))


def _own(by: Caller) -> str:
    """The partner whose disputes are the only ones that there are for the caller; empty for the operator."""
    return by.as_partner() if by.role is Role.PARTNER else ""


def _wanted(message: pb.Adjustment) -> Wanted:
    _, partner, _, window = message.statement.split("/")
    in_money = message.WhichOneof("quantity") == "amount_minor"
    quantity = message.amount_minor if in_money else message.points
    return Wanted(partner, int(window), message.line, quantity, in_money, message.reason)


def _objection(message: pb.Dispute) -> Objection:
    _, partner, _, window = message.statement.split("/")
    reason = _REASONS[message.reason]
    return Objection(partner, int(window), message.line, message.points, reason, message.description)


def _adjustment_pb(one: Adjustment) -> pb.Adjustment:
    wanted = one.wanted
    return pb.Adjustment(
        name=one.name,
        etag=str(one.etag),
        state=f"ADJUSTMENT_STATE_{one.state}",
        statement=f"partners/{wanted.partner}/statements/{wanted.window}",
        line=wanted.line,
        points=None if wanted.in_money else wanted.quantity,
        amount_minor=wanted.quantity if wanted.in_money else None,
        reason=wanted.reason,
        dispute=one.dispute,
        proposal=one.proposal,
        proposed_by=one.proposed_by,
        create_time=wire.timestamp(one.proposed_at),
        posted_window=f"windows/{one.posted_window}" if one.posted_window else "",
    )


def _dispute_pb(one: Dispute) -> pb.Dispute:
    return pb.Dispute(
        name=one.name,
        etag=str(one.etag),
        state=f"DISPUTE_STATE_{one.state}",
        statement=f"partners/{one.partner}/statements/{one.window_number}",
        line=one.line,
        points=one.points,
        reason=f"DISPUTE_REASON_{one.reason}",
        description=one.statement,
        create_time=wire.timestamp(one.opened_at),
        answer_due_time=wire.timestamp(one.answer_due_at),
        answer=one.answer,
        upheld_points=one.upheld,
        adjustment=one.adjustment,
    )
