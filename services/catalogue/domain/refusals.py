"""What the catalogue says no to. The reasons are published: rename a class and you break a partner."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class EarnRulesNotFound(Refusal):
    """Also for the rules of another partner: the two look alike on purpose."""

    kind = Kind.NOT_THERE
    message = "There are no earn rules {earn_rules}."
    remedy = "Check the name and the instant, or ask the operator to publish rules."


class RulesNotAfterNewest(Refusal):
    kind = Kind.NOT_NOW
    message = "The newest version {newest} is in force from {newest_from}; {effective_from} is not after it."
    remedy = "Let the new version begin later than {newest_from}."


class RuleInvalid(Refusal):
    kind = Kind.MALFORMED
    message = "Rule {rule_id}: {problem}."
    remedy = "Correct the rule and publish again."


class PayerUnknown(Refusal):
    kind = Kind.NOT_NOW
    message = "Rule {rule_id} is to be paid by {payer}, who is no partner of the programme."
    remedy = "Correct the payer, or add the partner first."


class OccurredInFuture(Refusal):
    kind = Kind.MALFORMED
    message = "It is said to have happened at {occurred_at}; it is {now} now."
    remedy = "Set the till's clock, or leave occurred_at empty."


class PurchaseInvalid(Refusal):
    kind = Kind.MALFORMED
    message = "This is no valid purchase: {problem}."
    remedy = "Correct the receipt."


class RequestIdReused(Refusal):
    kind = Kind.ALREADY
    message = "Request id {request_id} was used before with another meaning, for {first}."
    remedy = "Make a new request id for each intention; repeat a request with the same content."


class ReceiptAlreadyUsed(Refusal):
    kind = Kind.ALREADY
    message = "This receipt was recorded before, as {purchase}."
    remedy = "Nothing to do: one receipt earns once."


class PurchaseNotFound(Refusal):
    """Also for the purchase of another partner: the two look alike on purpose."""

    kind = Kind.NOT_THERE
    message = "There is no purchase {purchase} of yours."
    remedy = "Check the name."


class ReturnExceedsLine(Refusal):
    kind = Kind.NOT_NOW
    message = "Of line {line_no} {left} {currency} are left to return, {returned} {currency} were to come back."
    remedy = "Return at most {left} {currency} of the line."


class ReturnInvalid(Refusal):
    kind = Kind.MALFORMED
    message = "This is no valid return: {problem}."
    remedy = "Correct the lines of the return."


class PostingPending(Refusal):
    """Kept here, not known there. ABORTED and not UNAVAILABLE, because something has happened already."""

    kind = Kind.CHANGED
    message = "It is recorded as {resource}; its points are still on their way to the ledger."
    remedy = "Nothing is lost: it will be finished without you. Repeat with the same request id for the answer."
