"""Of an earlier entry, which something is to be undone of or released from."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class EntryNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no entry {entry} of yours."
    remedy = "Check the name."


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
