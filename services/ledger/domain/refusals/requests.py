"""What any request may meet: one that was made before, a wrong clock, a busy ledger."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class RequestIdReused(Refusal):
    kind = Kind.ALREADY
    message = "Request id {request_id} was used before with another meaning, for entry {entry}."
    remedy = "Make a new request id for each intention; repeat a request with the same content."


class OccurredInFuture(Refusal):
    kind = Kind.MALFORMED
    message = "It is said to have happened at {occurred_at}; it is {now} now."
    remedy = "Set the till's clock, or leave occurred_at empty."


class OccurredTooLongAgo(Refusal):
    kind = Kind.MALFORMED
    message = "It is said to have happened at {occurred_at}, more than {days} days ago."
    remedy = "Send what is that old to the operator of the programme."


class QueueFull(Refusal):
    kind = Kind.TOO_MUCH
    message = "The ledger is busy: {waiting} requests are waiting."
    remedy = "Repeat with the same request id after a moment."


class TooManyStreams(Refusal):
    kind = Kind.TOO_MUCH
    message = "As many streams are open as this server takes."
    remedy = "Send batches, or try the stream again after a moment."


class TooLate(Refusal):
    kind = Kind.TOO_LATE
    message = "The deadline passed before the request was posted; nothing happened."
    remedy = "Repeat with the same request id and more time."


class StillPosting(Refusal):
    kind = Kind.TOO_LATE
    message = "The deadline passed while the request was being posted."
    remedy = "Repeat with the same request id: the answer will be there."
