"""Batches over the wire: each act is one transaction, done once for its request id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import grpc
from coalition.settlement.v1 import batches_pb2 as pb
from coalition.settlement.v1 import batches_pb2_grpc as rpc
from google.type.date_pb2 import Date
from sqlalchemy import Connection

from services.settlement.api.batch_answers import batch_pb, opening_pb, simulation_pb, with_content
from services.settlement.api.once import Once
from services.settlement.domain.batch import FxIncomplete
from services.settlement.domain.netting import Model
from services.settlement.domain.proposal import difference
from services.settlement.domain.terms import Cover
from services.settlement.store import reference
from services.settlement.store.batches import (
    conditions,
    contents,
    deciding,
    defaulting,
    ending,
    making,
    openings,
    overriding,
    rows,
    slices,
)
from services.settlement.store.batches.conditions import Condition
from services.settlement.store.batches.rows import Batch
from services.settlement.store.caps import Cap
from services.settlement.store.simulation import WhatIf, imagined, simulate
from shared.canonical import Canonical
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.money import Rate
from shared.refusal import Refusal
from shared.rpc import wire
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page

_MODELS = {number: Model(name.removeprefix("NETTING_")) for name, number in pb.Netting.items() if number}


class BatchServicer(rpc.BatchServiceServicer):
    """From draft to settled. `then` is called when files may go: somebody waits for them."""

    def __init__(
        self, sessions: Sessions, clock: Clock, page_key: bytes, then: Callable[[], None] = lambda: None
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._page_key = page_key
        self._once = Once(sessions, clock)
        self._then = then

    def CreateBatch(self, request: pb.CreateBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        numbers = sorted({int(name.removeprefix("windows/")) for name in request.windows})
        currencies = sorted(set(request.currencies))
        netting, due_on = _netting(request.netting), _day(request.due_date)

        def create(connection: Connection) -> str:
            return making.create(
                connection, numbers, currencies, by, at,
                netting=netting, model=request.model, due_on=due_on, fx_set=request.fx_set,
            ).name  # fmt: skip

        meaning: Canonical = [
            numbers, currencies, request.netting, request.model, str(due_on or ""), request.fx_set,
        ]  # fmt: skip
        return self._shown(self._once("CreateBatch", request.request_id, meaning, context, create), context)

    def CalculateBatch(self, request: pb.CalculateBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)

        def calculate(connection: Connection) -> str:
            batch = rows.locked(connection, request.name)
            if request.fx_set:
                batch = making.quoted_by(connection, batch, request.fx_set)
            batch = making.calculate(connection, batch, by, at, wire.etag_of(request.etag))
            if request.submit:
                deciding.submit(connection, batch, by, at)
            return batch.name

        meaning: Canonical = [request.name, request.fx_set, int(request.submit)]
        return self._shown(self._once("CalculateBatch", request.request_id, meaning, context, calculate), context)

    def SimulateBatch(self, request: pb.SimulateBatchRequest, context: grpc.ServicerContext) -> pb.BatchSimulation:
        what = _what_if(request.what_if)
        numbers = sorted({int(name.removeprefix("windows/")) for name in request.windows})
        with self._sessions.snapshot(time_left(context)) as connection:
            if request.name:
                batch = rows.found(connection, request.name)
            else:
                at = self._clock.now()
                newest = reference.newest_fx_set(connection, at.date())
                batch = imagined(Model.MULTILATERAL, at, newest.name if newest else "")
            return simulation_pb(simulate(connection, batch, numbers, what))

    def SubmitBatch(self, request: pb.SubmitBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        return self._done(
            "SubmitBatch", request, [request.name], context,
            lambda connection, batch: deciding.submit(connection, batch, by, at, wire.etag_of(request.etag)),
        )  # fmt: skip

    def ApproveBatch(self, request: pb.ApproveBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        return self._done(
            "ApproveBatch", request, [request.name, request.content_sha256.hex()], context,
            lambda connection, batch: deciding.approve(connection, batch, request.content_sha256, by, at),
        )  # fmt: skip

    def RejectBatch(self, request: pb.RejectBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        return self._done(
            "RejectBatch", request, [request.name, request.content_sha256.hex(), request.reason], context,
            lambda connection, batch: deciding.reject(
                connection, batch, request.content_sha256, request.reason, by, at
            ),
        )  # fmt: skip

    def ReleaseBatch(self, request: pb.ReleaseBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        released = self._done(
            "ReleaseBatch", request, [request.name, request.content_sha256.hex()], context,
            lambda connection, batch: ending.release(connection, batch, request.content_sha256, by, at),
        )  # fmt: skip
        self._then()
        return released

    def ReviseBatch(self, request: pb.ReviseBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        due_on = _day(request.due_date)
        return self._done(
            "ReviseBatch", request, [request.name, request.reason, str(due_on or ""), request.fx_set], context,
            lambda connection, batch: ending.revise(
                connection, batch, request.reason, by, at,
                etag=wire.etag_of(request.etag), due_on=due_on, fx_set=request.fx_set,
            ),
        )  # fmt: skip

    def CancelBatch(self, request: pb.CancelBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        return self._done(
            "CancelBatch", request, [request.name, request.reason], context,
            lambda connection, batch: ending.cancel(
                connection, batch, request.reason, by, at, etag=wire.etag_of(request.etag)
            ),
        )  # fmt: skip

    def OverrideBatch(self, request: pb.OverrideBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        wanted = sorted(set(request.conditions))

        def propose(connection: Connection) -> str:
            batch = rows.locked(connection, request.name)
            return overriding.propose(connection, batch, wanted, request.reason, by, at).name

        meaning: Canonical = [request.name, wanted, request.reason]
        proposal = self._once("OverrideBatch", request.request_id, meaning, context, propose)
        return self._shown(request.name, context, proposal)

    def DeclareDefault(self, request: pb.DeclareDefaultRequest, context: grpc.ServicerContext) -> pb.Batch:
        by, at = self._by(context)
        covers: dict[str, dict[Cover, int]] = {}
        for one in request.covers:
            currency = one.amount.currency_code
            covers.setdefault(currency, {})[Cover(one.cover)] = wire.minor_of(one.amount, currency, "covers.amount")

        def propose(connection: Connection) -> str:
            batch = rows.locked(connection, request.name)
            partner = request.partner.removeprefix("partners/")
            return defaulting.propose(connection, batch, partner, covers, request.reason, by, at).name

        said: Canonical = [
            [currency, cover.value, minor] for currency, of in covers.items() for cover, minor in of.items()
        ]
        meaning: Canonical = [request.name, request.partner, request.reason, said]
        proposal = self._once("DeclareDefault", request.request_id, meaning, context, propose)
        return self._shown(request.name, context, proposal)

    def CompareRevisions(
        self, request: pb.CompareRevisionsRequest, context: grpc.ServicerContext
    ) -> pb.CompareRevisionsResponse:
        with self._sessions.snapshot(time_left(context)) as connection:
            batch = rows.found(connection, request.name)
            to = request.to_calculation or batch.take
            before = contents.found(connection, batch, request.from_calculation or max(1, to - 1))
            after = contents.found(connection, batch, to)
        found = difference(before.document, after.document)
        return pb.CompareRevisionsResponse(
            differences=[pb.ContentDifference(path=one.path, before=one.before, after=one.after) for one in found]
        )

    def GetBatch(self, request: pb.GetBatchRequest, context: grpc.ServicerContext) -> pb.Batch:
        return self._shown(request.name, context)

    def ListBatches(self, request: pb.ListBatchesRequest, context: grpc.ServicerContext) -> pb.ListBatchesResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListBatches", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.snapshot(time_left(context)) as connection:
            found = rows.page(connection, int(position[0]) if position else 0, size + 1)
            shown = [batch_pb(one, slices.of_batch(connection, one.number)) for one in found[:size]]
        token = seal_page(self._page_key, bound, [found[size - 1].number]) if len(found) > size else ""
        return pb.ListBatchesResponse(batches=shown, next_page_token=token)

    def ListOpenings(self, request: pb.ListOpeningsRequest, context: grpc.ServicerContext) -> pb.ListOpeningsResponse:
        size, bound = page_size(request.page_size), query_fingerprint("ListOpenings", caller(context), request)
        position = open_page(self._page_key, bound, request.page_token)
        with self._sessions.reading(time_left(context)) as connection:
            found = openings.page(connection, int(position[0]) if position else 0, size + 1)
        token = seal_page(self._page_key, bound, [found[size - 1].number]) if len(found) > size else ""
        return pb.ListOpeningsResponse(openings=[opening_pb(one) for one in found[:size]], next_page_token=token)

    def _by(self, context: grpc.ServicerContext) -> tuple[str, datetime]:
        return caller(context).principal, self._clock.now()

    def _done(
        self,
        method: str,
        request: pb.SubmitBatchRequest | pb.ApproveBatchRequest | pb.RejectBatchRequest | pb.ReleaseBatchRequest
        | pb.ReviseBatchRequest | pb.CancelBatchRequest,
        meaning: Canonical,
        context: grpc.ServicerContext,
        act: Callable[[Connection, Batch], Batch],
    ) -> pb.Batch:  # fmt: skip
        """One act on a locked batch."""

        def do(connection: Connection) -> str:
            return act(connection, rows.locked(connection, request.name)).name

        return self._shown(self._once(method, request.request_id, meaning, context, do), context)

    def _shown(self, name: str, context: grpc.ServicerContext, proposal: str = "") -> pb.Batch:
        with self._sessions.snapshot(time_left(context)) as connection:
            batch = rows.found(connection, name)
            settled = slices.of_batch(connection, batch.number)
            if not batch.content_sha256:
                return batch_pb(batch, settled, _missing(connection, batch), proposal)
            stored = contents.found(connection, batch, batch.take)
            blocking = []
            if batch.state in {"CALCULATED", "PENDING_APPROVAL", "APPROVED"}:
                dispositions = making.dispositions_of(stored)
                blocking = conditions.standing(connection, batch, dispositions, self._clock.now())
            elif batch.state == "RELEASING":
                blocking = conditions.waiting(connection, batch)
            return with_content(batch_pb(batch, settled, blocking, proposal), stored)


def _missing(connection: Connection, batch: Batch) -> list[Condition]:
    """FX_INCOMPLETE: what a draft that could be calculated lacks."""
    if batch.state != "DRAFT":
        return []
    try:
        making.looked_at(connection, batch)
    except FxIncomplete as incomplete:
        return [Condition("FX_INCOMPLETE", str(incomplete))]
    except Refusal:  # whoever calculates it is told
        return []
    return []


def _what_if(message: pb.WhatIf) -> WhatIf:
    return WhatIf(
        netting=_netting(message.netting),
        rates={
            (one.partner.removeprefix("partners/"), one.leg): Rate.of(wire.decimal_of(one.rate, "what_if.rates.rate"))
            for one in message.rates
        },
        caps={one.partner.removeprefix("partners/"): _cap(one) for one in message.caps},
        default_of_largest=message.default_of_largest,
        fx_set=message.fx_set,
    )


def _cap(message: pb.SimulatedCap) -> Cap:
    currency = message.cap.currency_code
    return Cap(
        message.partner.removeprefix("partners/"), currency, wire.minor_of(message.cap, currency, "what_if.caps")
    )


def _netting(value: int) -> Model | None:
    return _MODELS[value] if value else None


def _day(message: Date) -> date | None:
    return wire.day(message, "due_date") if message.year or message.month or message.day else None
