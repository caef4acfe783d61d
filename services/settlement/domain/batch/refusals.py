"""What is refused about batches, caps and suspensions."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class BatchNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no {batch}."
    remedy = "List the batches."


class WindowNotClosed(Refusal):
    kind = Kind.NOT_NOW
    message = "{window} is {state}: only what is closed can be settled."
    remedy = "Close it first."


class SliceTaken(Refusal):
    """Scenario 7: whoever comes second finds the slice taken."""

    kind = Kind.NOT_NOW
    message = "{slices} is in {batch} already."
    remedy = "Go on with that batch, or cancel it."


class NothingToSettle(Refusal):
    kind = Kind.NOT_NOW
    message = "{windows} has nothing in {currencies} that is left to be settled."
    remedy = "Name other windows or currencies."


class ModelDoesNotFit(Refusal):
    kind = Kind.NOT_NOW
    message = "{model} does not settle {participants}, who are in these windows."
    remedy = "Use a model without a list of participants, or publish one that names them."


class BatchBlocked(Refusal):
    """A condition, not a state: the batch stays where it is."""

    kind = Kind.NOT_NOW
    message = "{batch} is blocked by {conditions}: {detail}"
    remedy = "Remove what blocks it; two people may override CAP_BREACH, FUNDING_SHORT, ACCOUNT_COOLING_OFF."


class OwnBatch(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "{by} made or changed {batch}: another person decides it."
    remedy = "Have another person approve or reject it."


class EngineDiffers(Refusal):
    """Calculated by one version of the engine, to be approved under another, and the two do not agree."""

    kind = Kind.NOT_NOW
    message = "{batch} was calculated by {calculated_by}; {engine} calculates other bytes."
    remedy = "Revise the batch and calculate it again."


class BatchUnproven(Refusal):
    """A bug of ours: nothing of the calculation was stored."""

    kind = Kind.BUG
    message = "The calculation of {batch} contradicts itself: {why}."
    remedy = "Nothing was stored. Report it."


class BatchDiffers(Refusal):
    """Somebody changed stored rows: what was approved does not follow from them any more."""

    kind = Kind.NOT_NOW
    message = "{batch} does not follow from what is stored any more."
    remedy = "Run `coalition verify`, find out who changed it, and restore it."


class ConditionStands(Refusal):
    kind = Kind.NOT_NOW
    message = "{condition} cannot be overridden, or does not block {batch}."
    remedy = "Override only what blocks it: CAP_BREACH, FUNDING_SHORT, ACCOUNT_COOLING_OFF, QUARANTINE."


class NothingUnpaid(Refusal):
    kind = Kind.NOT_NOW
    message = "{partner} owes nothing in {batch} that was asked for and has not come."
    remedy = "List the instructions of the batch."


class CapNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no cap of {partner} that you may see."
    remedy = "Set one."


class PartnerNotSuspended(Refusal):
    kind = Kind.NOT_NOW
    message = "{partner} is not suspended."
    remedy = "Nothing needs to be done."


class OwnSuspension(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "{by} suspended {partner}: another person decides that it is over."
    remedy = "Have another person resume it."
