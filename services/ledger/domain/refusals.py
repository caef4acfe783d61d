"""What the ledger says no to. The reasons are published: rename a class and you break a partner."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class InsufficientPoints(Refusal):
    kind = Kind.NOT_NOW
    message = "{available} points are available, {requested} were asked for."
    remedy = "Ask for at most {max_redeemable_points}."


class RedemptionLimit(Refusal):
    kind = Kind.NOT_NOW
    message = "{requested} points cannot be spent here at once; at least {minimum}, in steps of {step}."
    remedy = "Ask for {max_redeemable_points}."


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


class PartnerNetDebitCapExceeded(Refusal):
    kind = Kind.NOT_NOW
    message = "{issuer} may award {allowance_points} more points, {requested} were asked for."
    remedy = "Award fewer points, or have the partner's cap raised or its position settled."


class IssuerNotAllowed(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "You may award in your own name only, not in that of {issuer}."
    remedy = "Leave the issuer empty."


class IssuerTwice(Refusal):
    kind = Kind.MALFORMED
    message = 'Issuer {issuer} stands in more than one line of {unit} for campaign "{campaign}".'
    remedy = "Give each issuer, unit and campaign one line."


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


class ReleaseExceedsHold(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} reserves {held} points, {requested} were to be released."
    remedy = "Release at most {held}."


class HoldEndsLater(Refusal):
    kind = Kind.NOT_NOW
    message = "Hold {hold} lives until {expires_at} already."
    remedy = "Nothing to do; a hold is never shortened, it is released."


class NotAnAward(Refusal):
    kind = Kind.NOT_NOW
    message = "Entry {entry} is not an award."
    remedy = "Name the entry that AwardPoints answered with."


class NothingPending(Refusal):
    kind = Kind.NOT_NOW
    message = "Nothing of entry {entry} is pending."
    remedy = "Nothing to do: its points are available, or were spent or taken back."


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


class TransferToItself(Refusal):
    kind = Kind.MALFORMED
    message = "Both grants name the same wallet."
    remedy = "Name two members."


class TransferLimit(Refusal):
    kind = Kind.NOT_NOW
    message = "{transferable_points} points may be sent now, {requested} were asked for."
    remedy = "Send at most {transferable_points}, or wait until tomorrow."


class WalletMerged(Refusal):
    kind = Kind.NOT_NOW
    message = "This wallet was merged into another one."
    remedy = "Name the member that it was merged into."


class AdjustmentNeedsSecondPerson(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "{proposed_by} proposed this adjustment and cannot approve it."
    remedy = "Have another person approve it."


class AdjustmentAboveLimit(Refusal):
    kind = Kind.NOT_NOW
    message = "An adjustment may move at most {limit} points, {requested} were asked for."
    remedy = "Adjust at most {limit}, or have the programme's limit raised."


class AdjustmentNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no adjustment {adjustment}."
    remedy = "Check the name."


class AdjustmentDecided(Refusal):
    kind = Kind.NOT_NOW
    message = "Adjustment {adjustment} was {state} by {decided_by}."
    remedy = "Propose another one."


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


class CursorOutOfRange(Refusal):
    kind = Kind.OUTSIDE
    message = "Bucket {bucket} ends at {last_seq}, the cursor stands at {seq}."
    remedy = "Read the buckets from 0 to {bucket_count} exclusive, from a seq that was read before."


class CheckpointNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no checkpoint {checkpoint}."
    remedy = "Check the name, or take one."


class CheckpointWithoutTrees(Refusal):
    """Of the release before trees were kept: its heads are signed, but nothing that a proof could lead to."""

    kind = Kind.NOT_NOW
    message = "{checkpoint} was signed without the trees that a proof leads to."
    remedy = "Name a later checkpoint."


class CheckpointsOutOfOrder(Refusal):
    kind = Kind.MALFORMED
    message = "{from_checkpoint} was taken after {to_checkpoint}."
    remedy = "Name the older one in from_checkpoint."


class EntryNotCovered(Refusal):
    kind = Kind.NOT_NOW
    message = "{entry} was posted after {checkpoint} was taken."
    remedy = "Name a later checkpoint, or ask again when the next one has been taken."


class TreeCorrupt(Refusal):
    """A proof that does not hold is not given out."""

    kind = Kind.BUG
    message = "What is stored of bucket {bucket} does not lead to the root that {checkpoint} signed."
    remedy = "Run `coalition verify` and call the operator."


class BucketCountChanged(Refusal):
    kind = Kind.NOT_NOW
    message = "This deployment was created with {created} buckets, the settings say {configured}."
    remedy = "Set COALITION_LEDGER_BUCKETS to {created}; it cannot be changed."


class BucketFrozen(Refusal):
    """The checker found a difference there. Only this bucket stands still; what is read from it is as it was."""

    kind = Kind.NOT_NOW
    message = "Bucket {bucket} of the ledger is frozen: it does not agree with its journal."
    remedy = "Nothing was posted. Call the operator; once the bucket is thawed, repeat with the same request id."


class BucketDiffers(Refusal):
    kind = Kind.NOT_NOW
    message = "Bucket {bucket} stays frozen: {subject} {name}: {detail}."
    remedy = "Repair it as the runbook deploy/runbooks/frozen-bucket.md says, then thaw it again."


class BucketNotFrozen(Refusal):
    kind = Kind.NOT_THERE
    message = "Bucket {bucket} is not frozen."
    remedy = "`coalition ledger freezes` lists those that are."


class AllowanceChanged(Refusal):
    kind = Kind.CHANGED
    message = "The allowance of {partner} stands at revision {revision}, which is not older than yours."
    remedy = "Read the allowance again; set a revision above {revision}."


class AllowanceNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "{partner} has no allowance: it may award without a limit."
    remedy = "Set one."


class PolicyChanged(Refusal):
    kind = Kind.CHANGED
    message = "The policy of {partner} stands at revision {revision}, which is not older than yours."
    remedy = "Read the policy again; set a revision above {revision}."


class PolicyNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "{partner} has no policy: the ledger's defaults are in force."
    remedy = "Set one."


class NoSuchRebuild(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no rebuild in schema {schema}."
    remedy = "Leave the schema out to begin a new one."


class OwnerMayNotCreate(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "The owner of the schema may not create another one in database {database}."
    remedy = "As an administrator: GRANT CREATE ON DATABASE {database} TO {owner}."
