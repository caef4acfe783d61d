"""Long work, the chains of what happened, and the quarantine, over the wire."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import grpc
from coalition.settlement.v1 import steps_pb2 as pb
from coalition.settlement.v1 import steps_pb2_grpc as rpc

from services.settlement.domain.proposal import Kind
from services.settlement.store import proposals, quarantine, requests, steps, transitions
from services.settlement.store.quarantine import SUBJECT, Disagreement, NotQuarantined
from services.settlement.store.stepper import Stepper
from services.settlement.store.steps import Step
from services.settlement.store.transitions import ResourceNotFound
from shared.canonical import canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.replay import mark_replay
from shared.rpc.wire import timestamp

_NAMES = {number: name.removeprefix("STEP_STATE_") for name, number in pb.StepState.items() if number}


class StepServicer(rpc.StepServiceServicer):
    """Shows what settlement does by itself, and lets a person say: again."""

    def __init__(
        self, sessions: Sessions, stepper: Stepper, disagreement: Disagreement, clock: Clock, page_key: bytes
    ) -> None:
        self._sessions = sessions
        self._stepper = stepper
        self._disagreement = disagreement
        self._clock = clock
        self._page_key = page_key

    def ListSteps(self, request: pb.ListStepsRequest, context: grpc.ServicerContext) -> pb.ListStepsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListSteps", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        after = (str(position[0]), str(position[1])) if position else ("", "")
        with self._sessions.reading(time_left(context)) as connection:
            found = steps.page(connection, after, size + 1, _NAMES.get(request.state, ""))
        last = found[size - 1] if len(found) > size else None
        token = seal_page(self._page_key, bound, [last.kind, last.subject]) if last else ""
        return pb.ListStepsResponse(steps=[_step_pb(one) for one in found[:size]], next_page_token=token)

    def RetryBlocked(self, request: pb.RetryBlockedRequest, context: grpc.ServicerContext) -> pb.Step:
        _, kind, subject = request.name.split("/", 2)
        request_id, body = UUID(request.request_id), sha256(request.name.encode()).digest()
        with self._sessions.writing(time_left(context)) as connection:
            if requests.once(connection, request_id, "RetryBlocked", body):
                mark_replay(context)
            else:
                steps.retry(connection, kind, subject)
                requests.remember(connection, request_id, "RetryBlocked", body, request.name, self._clock.now())
            answer = _step_pb(steps.found(connection, kind, subject))
        self._stepper.hurry()
        return answer

    def ListTransitions(
        self, request: pb.ListTransitionsRequest, context: grpc.ServicerContext
    ) -> pb.ListTransitionsResponse:
        with self._sessions.reading(time_left(context)) as connection:
            rows = transitions.chain(connection, request.parent)
        if not rows:
            raise ResourceNotFound(name=request.parent)
        return pb.ListTransitionsResponse(transitions=map(_transition_pb, rows))

    def GetQuarantine(self, request: pb.GetQuarantineRequest, context: grpc.ServicerContext) -> pb.Quarantine:
        with self._sessions.reading(time_left(context)) as connection:
            why, disagreement = quarantine.standing(connection), self._disagreement(connection)
            waiting = proposals.page(connection, 0, 1, "PROPOSED", Kind.QUARANTINE.value, SUBJECT)
        return pb.Quarantine(why=why, disagreement=disagreement, proposal=waiting[0].name if waiting else "")

    def LiftQuarantine(self, request: pb.LiftQuarantineRequest, context: grpc.ServicerContext) -> pb.Quarantine:
        by, at = caller(context).principal, self._clock.now()
        request_id, body = UUID(request.request_id), sha256(canonical([by, request.why])).digest()
        with self._sessions.writing(time_left(context)) as connection:
            why = quarantine.standing(connection)
            name = requests.once(connection, request_id, "LiftQuarantine", body)
            if name:
                mark_replay(context)
            elif not why:
                raise NotQuarantined
            else:
                content = {"stands_because": why, "looked_at": request.why}
                made = proposals.propose(connection, Kind.QUARANTINE, SUBJECT, content, by, at, request_id)
                name = made.name
                requests.remember(connection, request_id, "LiftQuarantine", body, name, at)
            return pb.Quarantine(why=why, disagreement=self._disagreement(connection), proposal=name)


def _step_pb(one: Step) -> pb.Step:
    return pb.Step(
        name=one.name,
        state=f"STEP_STATE_{one.state}",
        due_time=timestamp(one.due_at),
        attempts=one.attempts,
        finished=one.finished,
        total=one.total,
        blocked_because=one.blocked_because,
        create_time=timestamp(one.asked_at),
        done_time=timestamp(one.done_at) if one.done_at else None,
    )


def _transition_pb(row: transitions.Row) -> pb.Transition:
    return pb.Transition(
        step=row.step,
        from_state=row.frm,
        to_state=row.state,
        act=row.act,
        by=row.by,
        why=row.why,
        evidence=row.evidence,
        time=timestamp(row.at),
        hash=row.hash,
    )
