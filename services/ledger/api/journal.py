"""The RPCs of the journal itself: the feed, checkpoints, verification."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.api import answers
from services.ledger.api.evidence import Evidence
from services.ledger.api.feed import Feed
from services.ledger.api.wishes import Wishes
from services.ledger.store.checkpoints import Checkpoints
from services.ledger.store.verifier import Verifier
from shared.clock import Clock
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.replay import mark_replay
from shared.verifying import Difference, Progress


class Journal:
    """For settlement and the operator: all partners' entries."""

    _feed: Feed
    _checkpoints: Checkpoints
    _verifier: Verifier
    _evidence: Evidence
    _wishes: Wishes
    _clock: Clock

    def ReadJournal(self, request: pb.ReadJournalRequest, context: grpc.ServicerContext) -> pb.ReadJournalResponse:
        return self._feed.page(request, time_left(context), context.is_active)

    def TakeCheckpoint(self, request: pb.TakeCheckpointRequest, context: grpc.ServicerContext) -> pb.Checkpoint:
        checkpoint, again = self._checkpoints.taken(UUID(request.request_id), self._clock.now())
        if again:
            mark_replay(context)
        return answers.checkpoint_pb(checkpoint)

    def GetCheckpoint(self, request: pb.GetCheckpointRequest, context: grpc.ServicerContext) -> pb.Checkpoint:
        return answers.checkpoint_pb(self._checkpoints.found(request.name.removeprefix("checkpoints/")))

    def GetInclusionProof(
        self, request: pb.GetInclusionProofRequest, context: grpc.ServicerContext
    ) -> pb.InclusionProof:
        partner, place = self._wishes.own_entry(request.name, caller(context))
        return self._evidence.inclusion(request, partner, place)

    def GetConsistencyProof(
        self, request: pb.GetConsistencyProofRequest, context: grpc.ServicerContext
    ) -> pb.ConsistencyProof:
        return self._evidence.consistency(request)

    def VerifyJournal(
        self, request: pb.VerifyJournalRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.VerifyJournalResponse]:
        for event in self._verifier.run():
            match event:
                case Progress(entries, total):
                    yield pb.VerifyJournalResponse(progress=pb.VerifyProgress(entries=entries, total=total))
                case Difference(subject, name, detail):
                    difference = pb.Difference(subject=subject, name=name, detail=detail)
                    yield pb.VerifyJournalResponse(difference=difference)
                case _:
                    summary = pb.VerifySummary(
                        entries=event.entries,
                        wallets=event.wallets,
                        lots=event.lots,
                        checkpoints=event.checkpoints,
                    )
                    yield pb.VerifyJournalResponse(summary=summary)
