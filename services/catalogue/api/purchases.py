"""PurchaseService: rate, record, take back, look up."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import grpc
from coalition.catalogue.v1 import catalogue_pb2 as pb
from coalition.catalogue.v1 import catalogue_pb2_grpc as rpc
from google.rpc.status_pb2 import Status

from services.catalogue.api.patience import patience
from services.catalogue.api.rating import Rater
from services.catalogue.api.recording import Outcome, Recorder
from services.catalogue.api.refunding import Refunder, RefundWish
from services.catalogue.api.wire import (
    given_instant,
    purchase_named,
    purchase_pb,
    rating_pb,
    refund_pb,
    returns_of,
)
from services.catalogue.domain.purchase import Purchase
from services.catalogue.domain.refusals import PurchaseNotFound
from services.catalogue.store import purchases as table
from shared.clock import Clock
from shared.db.sessions import Sessions
from shared.refusal import Refusal
from shared.rpc.batch import spoiled
from shared.rpc.call import CallContext
from shared.rpc.caller import Role, caller
from shared.rpc.refusals import status_of
from shared.rpc.replay import mark_replay


class PurchaseServicer(rpc.PurchaseServiceServicer):
    """Purchases of the partners."""

    def __init__(self, sessions: Sessions, rater: Rater, recorder: Recorder, refunder: Refunder, clock: Clock) -> None:
        self._sessions = sessions
        self._rater = rater
        self._recorder = recorder
        self._refunder = refunder
        self._clock = clock

    def RatePurchase(self, request: pb.RatePurchaseRequest, context: grpc.ServicerContext) -> pb.RatePurchaseResponse:
        rated = self._rater.rated(request, caller(context), self._clock.now(), patience(context))
        return rating_pb(rated.rating, rated.rules)

    def RecordPurchase(self, request: pb.RecordPurchaseRequest, context: grpc.ServicerContext) -> pb.Purchase:
        wish = self._rater.wish(request, caller(context), self._clock.now(), patience(context))
        [outcome] = self._recorder.record([wish], patience(context))
        if isinstance(outcome, Refusal):
            raise outcome
        if outcome.replay:
            mark_replay(context)
        return purchase_pb(outcome.purchase)

    def BatchRecordPurchases(
        self, request: pb.BatchRecordPurchasesRequest, context: grpc.ServicerContext
    ) -> pb.BatchRecordPurchasesResponse:
        wishes = self._wishes(request, context)
        good = [wish for wish in wishes if isinstance(wish, Purchase)]
        outcomes = iter(self._recorder.record(good, patience(context)) if good else ())
        results = [next(outcomes) if isinstance(wish, Purchase) else wish for wish in wishes]
        return pb.BatchRecordPurchasesResponse(results=[_result(result, context) for result in results])

    def RefundPurchase(self, request: pb.RefundPurchaseRequest, context: grpc.ServicerContext) -> pb.Refund:
        partner, purchase_id = purchase_named(request.name)
        if partner != caller(context).as_partner():
            raise PurchaseNotFound(purchase=request.name)
        now = self._clock.now()
        wish = RefundWish(
            partner=partner,
            purchase_id=purchase_id,
            request_id=UUID(request.request_id),
            returns=partial(returns_of, request),
            given_at=given_instant(request, now),
            now=now,
        )
        refunded = self._refunder.refund(wish, patience(context))
        if refunded.replay:
            mark_replay(context)
        return refund_pb(refunded.refund)

    def GetPurchase(self, request: pb.GetPurchaseRequest, context: grpc.ServicerContext) -> pb.Purchase:
        partner, purchase_id = purchase_named(request.name)
        who = caller(context)
        if who.role is Role.PARTNER and who.partner != partner:
            raise PurchaseNotFound(purchase=request.name)
        with self._sessions.reading(patience(context)()) as connection:
            purchase = table.find(connection, partner, purchase_id)
        if purchase is None:
            raise PurchaseNotFound(purchase=request.name)
        return purchase_pb(purchase)

    def GetPurchaseTotals(
        self, request: pb.GetPurchaseTotalsRequest, context: grpc.ServicerContext
    ) -> pb.PurchaseTotals:
        with self._sessions.reading(patience(context)()) as connection:
            counts = table.counts(connection)
        return pb.PurchaseTotals(
            purchases=sum(one.purchases for one in counts),
            refunds=sum(one.refunds for one in counts),
            rated_only=sum(one.rated_only for one in counts),
            partners=[
                pb.PartnerPurchaseTotals(
                    partner=one.partner, purchases=one.purchases, refunds=one.refunds, awarded_points=one.awarded
                )
                for one in counts
            ],
        )

    def _wishes(
        self, request: pb.BatchRecordPurchasesRequest, context: grpc.ServicerContext
    ) -> list[Purchase | Refusal]:
        """One for each item. Whatever is wrong with one says nothing about the others."""
        who, now, left = caller(context), self._clock.now(), patience(context)
        broken = spoiled(context)
        wishes: list[Purchase | Refusal] = []
        for place, item in enumerate(request.items):
            try:
                wishes.append(broken.get(place) or self._rater.wish(item, who, now, left))
            except Refusal as refusal:
                wishes.append(refusal)
        return wishes


def _result(outcome: Outcome, context: grpc.ServicerContext) -> pb.PurchaseResult:
    if isinstance(outcome, Refusal):
        return pb.PurchaseResult(refusal=_status(outcome, context))
    return pb.PurchaseResult(purchase=purchase_pb(outcome.purchase), replay=outcome.replay)


def _status(refusal: Refusal, context: grpc.ServicerContext) -> Status:
    return status_of(refusal, context.call_id if isinstance(context, CallContext) else "")
