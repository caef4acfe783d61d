"""The RPCs that move points: translate, queue, answer after the commit. They wait on the loop, not in a thread."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api import answers
from services.ledger.api.wishes import Wishes
from services.ledger.domain.refusals.requests import TooManyStreams
from services.ledger.domain.wish import Wish
from services.ledger.store.writer import Outcome, Posted, Writer
from shared.refusal import Refusal
from shared.rpc.batch import spoiled
from shared.rpc.call import call_id_of
from shared.rpc.caller import Caller, caller
from shared.rpc.deadline import time_left
from shared.rpc.refusals import status_of
from shared.rpc.replay import mark_replay

Item = TypeVar("Item")
_RETRY_MS = 1000


class Posting:
    """Which wallet comes from the grant or the entry, who acts from the credential."""

    _wishes: Wishes
    _writer: Writer
    _streams: threading.BoundedSemaphore

    async def AwardPoints(self, request: pb.AwardPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        return await self._posted(self._wishes.award(request, caller(context)), context)

    async def BatchAwardPoints(
        self, request: pb.BatchAwardPointsRequest, context: grpc.ServicerContext
    ) -> pb.BatchAwardPointsResponse:
        return await self._awarded(request.items, context)

    async def StreamAwardPoints(
        self, requests: AsyncIterator[pb.StreamAwardPointsRequest], context: grpc.ServicerContext
    ) -> AsyncIterator[pb.BatchAwardPointsResponse]:
        if not self._streams.acquire(blocking=False):
            raise TooManyStreams(retry_after_ms=_RETRY_MS)
        try:
            async for request in requests:
                yield await self._awarded(request.items, context)
        finally:
            self._streams.release()

    async def HoldPoints(self, request: pb.HoldPointsRequest, context: grpc.ServicerContext) -> pb.Hold:
        posted = await self._post(self._wishes.hold(request, caller(context)), context)
        return answers.placed_hold_pb(posted.entry, dry=request.validate_only and not posted.replay)

    async def CaptureHold(self, request: pb.CaptureHoldRequest, context: grpc.ServicerContext) -> pb.Entry:
        return await self._posted(self._wishes.capture(request, caller(context)), context)

    async def ReleaseHold(self, request: pb.ReleaseHoldRequest, context: grpc.ServicerContext) -> pb.Entry:
        return await self._posted(self._wishes.release(request, caller(context)), context)

    async def BatchReleaseHolds(
        self, request: pb.BatchReleaseHoldsRequest, context: grpc.ServicerContext
    ) -> pb.BatchReleaseHoldsResponse:
        call_id = call_id_of(context)
        outcomes = await self._each(request.items, self._wishes.release, context)
        return pb.BatchReleaseHoldsResponse(results=[_result(*outcome, call_id) for outcome in outcomes])

    async def ExtendHold(self, request: pb.ExtendHoldRequest, context: grpc.ServicerContext) -> pb.Entry:
        return await self._posted(self._wishes.extend(request, caller(context)), context)

    async def RedeemPoints(self, request: pb.RedeemPointsRequest, context: grpc.ServicerContext) -> pb.Entry:
        return await self._posted(self._wishes.redeem(request, caller(context)), context)

    async def ReverseAward(self, request: pb.ReverseAwardRequest, context: grpc.ServicerContext) -> pb.Entry:
        return await self._posted(self._wishes.reverse(request, caller(context)), context)

    async def RefundRedemption(self, request: pb.RefundRedemptionRequest, context: grpc.ServicerContext) -> pb.Entry:
        return await self._posted(self._wishes.refund(request, caller(context)), context)

    async def ReleasePending(self, request: pb.ReleasePendingRequest, context: grpc.ServicerContext) -> pb.Entry:
        return await self._posted(self._wishes.release_pending(request, caller(context)), context)

    async def _awarded(
        self, items: Sequence[pb.AwardPointsRequest], context: grpc.ServicerContext
    ) -> pb.BatchAwardPointsResponse:
        call_id = call_id_of(context)
        outcomes = await self._each(items, self._wishes.award, context)
        return pb.BatchAwardPointsResponse(results=[_result(*outcome, call_id) for outcome in outcomes])

    async def _each(
        self, items: Sequence[Item], wish: Callable[[Item, Caller], Wish], context: grpc.ServicerContext
    ) -> list[tuple[Outcome, bool]]:
        """What became of each item, in their order, and whether it was only tried: one bad item spoils nothing."""
        by, bad = caller(context), spoiled(context)
        wished = [bad.get(index) or _or_refusal(wish, item, by) for index, item in enumerate(items)]
        wishes = [one for one in wished if isinstance(one, Wish)]
        outcomes = iter(await self._writer.answered(wishes, time_left(context)))
        return [(one, False) if isinstance(one, Refusal) else (next(outcomes), one.dry) for one in wished]

    async def _posted(self, wish: Wish, context: grpc.ServicerContext) -> pb.Entry:
        """Queued, applied, committed; a repeat gets the first answer."""
        posted = await self._post(wish, context)
        return answers.entry_pb(posted.entry, dry=wish.dry and not posted.replay)

    async def _post(self, wish: Wish, context: grpc.ServicerContext) -> Posted:
        (outcome,) = await self._writer.answered([wish], time_left(context))
        if isinstance(outcome, Refusal):
            try:
                raise outcome
            finally:
                del outcome  # in this frame it would hold itself, and the whole call, until the collector comes by
        if outcome.replay:
            mark_replay(context)
        return outcome


def _or_refusal(wish: Callable[[Item, Caller], Wish], item: Item, by: Caller) -> Wish | Refusal:
    try:
        return wish(item, by)
    except Refusal as refusal:
        return refusal


def _result(found: Outcome, dry: bool, call_id: str) -> answers.Fields:
    """What became of an item."""
    if isinstance(found, Refusal):
        return {"refusal": status_of(found, call_id)}
    return {"entry": answers.entry_fields(found.entry, dry=dry and not found.replay), "replay": found.replay}
