"""The part of the servicer for the operator's upkeep: what the checker has frozen, and how it is thawed."""

from __future__ import annotations

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb

from services.ledger.store.checker import Checker
from services.ledger.store.freezes import Freeze
from shared.instants import instant
from shared.rpc.deadline import time_left
from shared.rpc.wire import timestamp


class Upkeep:
    """Freezing is the checker's own; a person can only undo it, and only what agrees again."""

    _checker: Checker

    def ThawBucket(self, request: pb.ThawBucketRequest, context: grpc.ServicerContext) -> pb.Freeze:
        return _freeze_pb(self._checker.thaw(request.bucket, time_left(context)))

    def ListFreezes(self, request: pb.ListFreezesRequest, context: grpc.ServicerContext) -> pb.ListFreezesResponse:
        return pb.ListFreezesResponse(freezes=map(_freeze_pb, self._checker.frozen()))


def _freeze_pb(freeze: Freeze) -> pb.Freeze:
    found = freeze.difference
    return pb.Freeze(
        bucket=freeze.bucket,
        freeze_time=timestamp(instant(freeze.frozen_at)),
        difference=pb.Difference(subject=found.subject, name=found.name, detail=found.detail),
    )
