"""What the ledger says no to. The reasons are published: rename a class and you break a partner."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class InsufficientPoints(Refusal):
    kind = Kind.NOT_NOW
    message = "{available} points are available, {requested} were asked for."
    remedy = "Ask for at most {available}."


class RequestIdReused(Refusal):
    kind = Kind.ALREADY
    message = "Request id {request_id} was used before with another meaning, for entry {entry}."
    remedy = "Make a new request id for each intention; repeat a request with the same content."


class ReceiptAlreadyUsed(Refusal):
    kind = Kind.ALREADY
    message = "This receipt was awarded before, by entry {entry}."
    remedy = "Nothing to do: one receipt earns once."


class BalanceOutOfRange(Refusal):
    kind = Kind.NOT_NOW
    message = "The balance would exceed {most} points."
    remedy = "Award fewer points."


class IssuerNotAllowed(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "You may award in your own name only, not in that of {issuer}."
    remedy = "Leave the issuer empty."


class IssuerTwice(Refusal):
    kind = Kind.MALFORMED
    message = "Issuer {issuer} stands in more than one line."
    remedy = "Give each issuer one line."


class AlreadyPastExpiry(Refusal):
    kind = Kind.MALFORMED
    message = "The last day of use {expires_on} is already over."
    remedy = "Give a last day of use of {today} or later."


class OccurredInFuture(Refusal):
    kind = Kind.MALFORMED
    message = "It is said to have happened at {occurred_at}; it is {now} now."
    remedy = "Set the till's clock, or leave occurred_at empty."


class OccurredTooLongAgo(Refusal):
    kind = Kind.MALFORMED
    message = "It is said to have happened at {occurred_at}, more than {days} days ago."
    remedy = "Send what is that old to the operator of the programme."


class TooManyLots(Refusal):
    kind = Kind.NOT_NOW
    message = "The points lie in more than {most_lots} lots; {possible} of them can be moved at once."
    remedy = "Ask for at most {possible}, then for the rest."


class TotalsOutOfRange(Refusal):
    kind = Kind.OUTSIDE
    message = "A sum over the whole programme is beyond 64 bits."
    remedy = "Read the journal."


class GrantScopeExceeded(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "The grant allows at most {allowed} points, {requested} were asked for."
    remedy = "Resolve the member again with the limit that you need."


class EntryNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no entry {entry} of yours."
    remedy = "Check the name."


class HoldNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no hold {hold} of yours."
    remedy = "Check the name."


class HoldClosed(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} is {state}."
    remedy = "Place a new hold."


class HoldExpired(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} ended at {expired_at}; its points went back."
    remedy = "Place a new hold."


class CaptureExceedsHold(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} reserves {held} points, {requested} were to be captured."
    remedy = "Capture at most {held}."


class NotAnAward(Refusal):
    kind = Kind.NOT_NOW
    message = "Entry {entry} is not an award."
    remedy = "Name the entry that AwardPoints answered with."


class ReversalExceedsAward(Refusal):
    kind = Kind.NOT_NOW
    message = "{reversible} points of {issuer} are left to reverse in entry {entry}, {requested} were asked for."
    remedy = "Reverse at most {reversible}."


class NotARedemption(Refusal):
    kind = Kind.NOT_NOW
    message = "Entry {entry} is neither a redemption nor a capture."
    remedy = "Name the entry that RedeemPoints or CaptureHold answered with."


class RefundExceedsRedemption(Refusal):
    kind = Kind.NOT_NOW
    message = "{refundable} points are left to refund in entry {entry}, {requested} were asked for."
    remedy = "Refund at most {refundable}."


class NothingDue(Refusal):
    """The clock's work was done by somebody else in the meantime. Never leaves the service."""

    kind = Kind.NOT_NOW
    message = "Nothing is due."


class JournalCorrupt(Refusal):
    """An entry cannot follow from the state before it."""

    kind = Kind.BUG
    message = "Entry {entry} does not follow from the journal before it: {detail}."
    remedy = "Run `coalition verify` and call the operator."


class QueueFull(Refusal):
    kind = Kind.TOO_MUCH
    message = "The ledger is busy: {waiting} requests are waiting."
    remedy = "Repeat with the same request id after a moment."


class TooLate(Refusal):
    kind = Kind.TOO_LATE
    message = "The deadline passed before the request was posted; nothing happened."
    remedy = "Repeat with the same request id and more time."


class StillPosting(Refusal):
    kind = Kind.TOO_LATE
    message = "The deadline passed while the request was being posted."
    remedy = "Repeat with the same request id: the answer will be there."


class CursorOutOfRange(Refusal):
    kind = Kind.OUTSIDE
    message = "Bucket {bucket} ends at {last_seq}, the cursor stands at {seq}."
    remedy = "Read the buckets from 0 to {bucket_count} exclusive, from a seq that was read before."


class CheckpointNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no checkpoint {checkpoint}."
    remedy = "Check the name, or take one."


class BucketCountChanged(Refusal):
    kind = Kind.NOT_NOW
    message = "This deployment was created with {created} buckets, the settings say {configured}."
    remedy = "Set COALITION_LEDGER_BUCKETS to {created}; it cannot be changed."
