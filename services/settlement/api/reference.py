"""Reference data over the wire: proposed here, in force when another person approves it."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import grpc
from coalition.settlement.v1 import reference_pb2 as pb
from coalition.settlement.v1 import reference_pb2_grpc as rpc
from google.protobuf.message import Message
from sqlalchemy import Connection

from services.settlement.api.reference_answers import (
    calendar_of,
    calendar_pb,
    fx_set_of,
    fx_set_pb,
    model_of,
    model_pb,
    version_of,
)
from services.settlement.domain.proposal import Kind
from services.settlement.store import proposals, reference, requests
from shared.canonical import Canonical, canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.replay import mark_replay


class ReferenceServicer(rpc.ReferenceServiceServicer):
    """Calendars, sets of rates and models."""

    def __init__(self, sessions: Sessions, clock: Clock, page_key: bytes) -> None:
        self._sessions = sessions
        self._clock = clock
        self._page_key = page_key

    def PublishCalendar(self, request: pb.PublishCalendarRequest, context: grpc.ServicerContext) -> pb.Calendar:
        one = calendar_of(request)
        # What the library lists is no part of the meaning: after an upgrade a repeat is still the same request.
        meaning: Canonical = [one.name, request.source, request.cut_off, one.zone, *_days_of(request)]
        with self._sessions.writing(time_left(context)) as connection:
            name = self._proposed(
                connection, request.request_id, Kind.CALENDAR, one.name, one.content(), meaning, context
            )
        return calendar_pb(one, name, days=False)

    def GetCalendar(self, request: pb.GetCalendarRequest, context: grpc.ServicerContext) -> pb.Calendar:
        with self._sessions.reading(time_left(context)) as connection:
            return calendar_pb(reference.calendar(connection, *version_of(request.name)))

    def ListCalendars(
        self, request: pb.ListCalendarsRequest, context: grpc.ServicerContext
    ) -> pb.ListCalendarsResponse:
        size, bound, after = self._page(request, request.page_size, request.page_token, context)
        with self._sessions.reading(time_left(context)) as connection:
            found = [calendar_pb(one, days=False) for one in reference.calendars(connection, after, size + 1)]
        token = self._token(bound, found[size - 1].name if len(found) > size else "")
        return pb.ListCalendarsResponse(calendars=found[:size], next_page_token=token)

    def LoadFxSet(self, request: pb.LoadFxSetRequest, context: grpc.ServicerContext) -> pb.FxSet:
        one = fx_set_of(request.fx_set)
        content = one.content()
        with self._sessions.writing(time_left(context)) as connection:
            name = self._proposed(
                connection, request.request_id, Kind.FX_SET, one.name, content, [one.name, content], context
            )
        return fx_set_pb(one, name)

    def GetFxSet(self, request: pb.GetFxSetRequest, context: grpc.ServicerContext) -> pb.FxSet:
        with self._sessions.reading(time_left(context)) as connection:
            return fx_set_pb(reference.fx_set(connection, request.name))

    def ListFxSets(self, request: pb.ListFxSetsRequest, context: grpc.ServicerContext) -> pb.ListFxSetsResponse:
        size, bound, after = self._page(request, request.page_size, request.page_token, context)
        with self._sessions.reading(time_left(context)) as connection:
            found = [fx_set_pb(one) for one in reference.fx_sets(connection, after, size + 1)]
        token = self._token(bound, found[size - 1].name if len(found) > size else "")
        return pb.ListFxSetsResponse(fx_sets=found[:size], next_page_token=token)

    def PublishModel(self, request: pb.PublishModelRequest, context: grpc.ServicerContext) -> pb.SettlementModel:
        one = model_of(request.model)
        content = one.content()
        with self._sessions.writing(time_left(context)) as connection:
            name = self._proposed(
                connection, request.request_id, Kind.MODEL, one.name, content, [one.name, content], context
            )
        return model_pb(one, name)

    def GetModel(self, request: pb.GetModelRequest, context: grpc.ServicerContext) -> pb.SettlementModel:
        with self._sessions.reading(time_left(context)) as connection:
            return model_pb(reference.model(connection, *version_of(request.name)))

    def ListModels(self, request: pb.ListModelsRequest, context: grpc.ServicerContext) -> pb.ListModelsResponse:
        size, bound, after = self._page(request, request.page_size, request.page_token, context)
        with self._sessions.reading(time_left(context)) as connection:
            found = [model_pb(one) for one in reference.models(connection, after, size + 1)]
        token = self._token(bound, found[size - 1].name if len(found) > size else "")
        return pb.ListModelsResponse(models=found[:size], next_page_token=token)

    def _proposed(
        self,
        connection: Connection,
        request_id: str,
        kind: Kind,
        subject: str,
        content: Canonical,
        meaning: Canonical,
        context: grpc.ServicerContext,
    ) -> str:
        """The name of the proposal that this request made, now or before."""
        by, at, method = caller(context).principal, self._clock.now(), f"propose {kind.value}"
        body = sha256(canonical([by, meaning])).digest()
        if name := requests.once(connection, UUID(request_id), method, body):
            mark_replay(context)
            return name
        reference.check(connection, kind, subject, content)
        made = proposals.propose(connection, kind, subject, content, by, at, UUID(request_id))
        requests.remember(connection, UUID(request_id), method, body, made.name, at)
        return made.name

    def _page(self, request: Message, size: int, token: str, context: grpc.ServicerContext) -> tuple[int, bytes, str]:
        """How many, what the token is bound to, and the name after which to go on."""
        bound = query_fingerprint(type(request).__name__, caller(context), request)
        position = open_page(self._page_key, bound, token)
        return page_size(size), bound, str(position[0]) if position else ""

    def _token(self, bound: bytes, last: str) -> str:
        return seal_page(self._page_key, bound, [last]) if last else ""


def _days_of(request: pb.PublishCalendarRequest) -> list[Canonical]:
    own: list[Canonical] = [[str(one.day), one.closed] for one in request.holidays]
    return [str(request.from_day), str(request.until_day), list(request.weekend), own]
