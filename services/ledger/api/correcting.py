"""The RPCs of adjustments: one person proposes, another decides."""

from __future__ import annotations

from uuid import UUID

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api import answers
from services.ledger.api.wishes import Wishes
from services.ledger.domain.entry import Place
from services.ledger.domain.programme import Programme
from services.ledger.domain.refusals.adjustments import (
    AdjustmentAboveLimit,
    AdjustmentNeedsSecondPerson,
    AdjustmentNotFound,
)
from services.ledger.store.adjustments import Adjustment, Adjustments, AdjustmentState
from services.ledger.store.readers import Readers
from services.ledger.store.writer import Writer
from shared.clock import Clock
from shared.refusal import Kind, Refusal
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.replay import mark_replay

_FIRST = (-1, str(UUID(int=0)))
_SOMEBODY_ELSE = "operator/-"
_FOR_GOOD = frozenset({Kind.MALFORMED, Kind.NOT_ALLOWED, Kind.NOT_NOW})
"""Refusals after which nothing was posted, and nothing will be by trying again."""


class Correcting:
    """The wallet comes from a grant, the persons from their credentials."""

    _wishes: Wishes
    _adjustments: Adjustments
    _writer: Writer
    _readers: Readers
    _programme: Programme
    _clock: Clock
    _page_key: bytes

    def ProposeAdjustment(self, request: pb.ProposeAdjustmentRequest, context: grpc.ServicerContext) -> pb.Adjustment:
        wish = self._wishes.adjustment(request, caller(context))
        limit = self._programme.adjustment_points
        if limit and wish.points > limit:
            raise AdjustmentAboveLimit(limit=limit, requested=wish.points)
        if wish.dry:
            proposal = Adjustment.proposed(wish, self._clock.now())
            posted = self._writer.post(proposal.wish(_SOMEBODY_ELSE, dry=True), time_left(context))
            return answers.adjustment_pb(proposal, posted.entry, dry=True)
        adjustment, again = self._adjustments.propose(wish, self._clock.now())
        if again:
            mark_replay(context)
        return answers.adjustment_pb(adjustment)

    def DecideAdjustment(self, request: pb.DecideAdjustmentRequest, context: grpc.ServicerContext) -> pb.Adjustment:
        by, adjustment = caller(context).principal, self._named(request.name)
        if adjustment.proposed_by == by and request.approve:
            raise AdjustmentNeedsSecondPerson(proposed_by=by)
        if not request.approve:
            rejected = self._adjustments.decide(adjustment, AdjustmentState.REJECTED, by, self._clock.now())
            return answers.adjustment_pb(rejected)
        approved = self._adjustments.decide(adjustment, AdjustmentState.APPROVED, by, self._clock.now())
        return self._post_approved(approved, context)

    def ListAdjustments(
        self, request: pb.ListAdjustmentsRequest, context: grpc.ServicerContext
    ) -> pb.ListAdjustmentsResponse:
        bound, size = query_fingerprint("ListAdjustments", caller(context), request), page_size(request.page_size)
        bucket, id_ = open_page(self._page_key, bound, request.page_token) or _FIRST
        found = self._adjustments.page(request.state, (int(bucket), UUID(str(id_))), size + 1)
        page, more = found[:size], len(found) > size
        token = seal_page(self._page_key, bound, (page[-1].bucket, str(page[-1].id))) if more else ""
        return pb.ListAdjustmentsResponse(adjustments=map(answers.adjustment_pb, page), next_page_token=token)

    def _post_approved(self, approved: Adjustment, context: grpc.ServicerContext) -> pb.Adjustment:
        if approved.entry_seq is not None:
            mark_replay(context)
            return answers.adjustment_pb(approved, self._readers.entry(Place(approved.bucket, approved.entry_seq)))
        try:
            posted = self._writer.post(approved.wish(approved.decided_by or ""), time_left(context))
        except Refusal as refusal:
            if refusal.kind in _FOR_GOOD:
                self._adjustments.reopen(approved)
            raise
        return answers.adjustment_pb(self._adjustments.posted(approved, posted.entry.seq), posted.entry)

    def _named(self, name: str) -> Adjustment:
        bucket, _, id_ = name.removeprefix("adjustments/").partition("-")
        if int(bucket) >= self._readers.bucket_count:
            raise AdjustmentNotFound(adjustment=name)
        return self._adjustments.found(int(bucket), UUID(id_))
