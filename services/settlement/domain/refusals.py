"""What settlement refuses."""

from __future__ import annotations

from shared.refusal import Kind, Refusal


class ContractVersionOverlaps(Refusal):
    kind = Kind.NOT_NOW
    message = "A version of the contract of {partner} must begin after version {newest} begins."
    remedy = "Choose a later effective_from."


class ContractVersionInClosedWindow(Refusal):
    kind = Kind.NOT_NOW
    message = "The version would take effect before {closed_at}, inside a window that is closed."
    remedy = "Choose an effective_from that is not before {closed_at}; correct the past with an adjustment."


class ContractVersionRetroactive(Refusal):
    kind = Kind.NOT_NOW
    message = "Entries up to {counted_until} are counted already at the terms now in force for {partner}."
    remedy = "Choose an effective_from after {counted_until}."


class RateNotExact(Refusal):
    kind = Kind.MALFORMED
    message = "{field} is {value}: a rate is a decimal from 0 to 1000 with at most 9 places."
    remedy = "Send an exact decimal such as 0.0120."


class CurrencyUnknown(Refusal):
    kind = Kind.MALFORMED
    message = "{currency} is no currency of ISO 4217."
    remedy = "Send a three-letter code such as USD."


class ContractNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no contract of {partner} that you may see."
    remedy = "Check the partner's id."


class RequestIdReused(Refusal):
    kind = Kind.ALREADY
    message = "The request id {request_id} was used for something else: {first}."
    remedy = "Make a new request id for each intention."


class WindowNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no {window}."
    remedy = "List the windows."


class WindowNotOpen(Refusal):
    kind = Kind.NOT_NOW
    message = "{window} is {state}; only the open window can be closed."
    remedy = "Close windows/open by its number."


class EarlierWindowClosing(Refusal):
    kind = Kind.NOT_NOW
    message = "{window} cannot be closed before {earlier}, which is being closed."
    remedy = "Repeat the closing of {earlier} until it is closed, then close {window}."


class WindowWaits(Refusal):
    """Not a failure: the window is on its way and cannot go further now."""

    kind = Kind.NOT_NOW
    message = "{window} cannot be closed yet, it waits for {waits_for}: {detail}."
    remedy = "Remove what it waits for, then repeat the call with the same request id."


class StatementNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no {statement} that you may see."
    remedy = "List the statements."


class LedgerMismatch(Refusal):
    kind = Kind.BUG
    message = "Checkpoint {checkpoint} of the ledger cannot be believed: {detail}."
    remedy = "Run `coalition verify` and call the operator."
