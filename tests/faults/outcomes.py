"""What came of one attempt: an answer, a refusal, or a doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from coalition.ledger.v1 import ledger_pb2 as pb
from google.rpc import code_pb2
from google.rpc import error_details_pb2 as details
from google.rpc.status_pb2 import Status

from tests.faults.record import Answer, Balance, Place, Refused

PASSING = {"UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED"}
"""What a caller may be told while the ledger dies: each of them means `repeat with the same id`."""
NOTHING_HAPPENED = {"DATABASE_UNAVAILABLE", "QUEUE_FULL", "TOO_LATE", "TOO_LITTLE_TIME"}
"""What promises more: that this attempt left nothing behind."""


@dataclass(frozen=True)
class Doubt:
    """An attempt that came to nothing; `silent` when it may have counted."""

    why: str
    silent: bool


Outcome = Answer | Refused | Doubt


def awaited(call: Any) -> Answer:  # noqa: ANN401  grpc.CallFuture, of an answer that depends on the verb
    """The answer of a call that is under way. Raises grpc.RpcError."""
    answer = call.result()
    replay = dict(call.trailing_metadata() or ()).get("idempotent-replay") == "true"
    match answer:
        case pb.Hold():
            return hold_answer(answer, replay=replay)
        case pb.Transfer():  # when it arrives is not a part of what was promised
            return entry_answer(answer.departure, replay=replay)
        case pb.Adjustment():
            return entry_answer(answer.entry, replay=replay)
        case _:
            return entry_answer(answer, replay=replay)


def of_item(result: pb.AwardResult) -> Outcome:
    """What became of one item of a batch."""
    if result.HasField("entry"):
        return entry_answer(result.entry, replay=result.replay)
    return _outcome(code_pb2.Code.Name(result.refusal.code), result.refusal)


def entry_answer(entry: pb.Entry, *, replay: bool) -> Answer:
    body = entry.SerializeToString(deterministic=True).hex()
    place = Place(entry.bucket, entry.seq)
    return Answer(place, entry.points, balance_of(entry.balance), body, entry.hash.hex(), replay)


def hold_answer(hold: pb.Hold, *, replay: bool) -> Answer:
    body = hold.SerializeToString(deterministic=True).hex()
    return Answer(Place.named(hold.name), hold.points, balance_of(hold.balance), body, "", replay)


def balance_of(balance: pb.Balance) -> Balance:
    return Balance(balance.available, balance.pending, balance.held, balance.debt)


def of_error(error: grpc.RpcError) -> Refused | Doubt:
    """What a failed call said."""
    status = Status()
    for item in error.trailing_metadata() or ():
        if item.key == "grpc-status-details-bin":
            status.ParseFromString(item.value)
    return _outcome(error.code().name, status)


def _outcome(code: str, status: Status) -> Refused | Doubt:
    info = details.ErrorInfo()
    for detail in status.details:
        detail.Unpack(info)  # does nothing when it is something else
    if code in PASSING:
        return Doubt(info.reason or code, silent=info.reason not in NOTHING_HAPPENED)
    return Refused(info.reason or code, dict(info.metadata))
