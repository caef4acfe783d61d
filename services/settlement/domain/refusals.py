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


class WindowClosedByAnother(Refusal):
    """Two wanted to close it, and the other was faster."""

    kind = Kind.CHANGED
    message = "{window} is closing already: {by} asked for it with another request id."
    remedy = "Read it again; close windows/open by its number if there is more to close."


class WindowNotClosed(Refusal):
    kind = Kind.NOT_NOW
    message = "{window} is {state}; only a closed window has numbers to verify."
    remedy = "Close it first."


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


class TransitionRefused(Refusal):
    """The state machines have no such step."""

    kind = Kind.NOT_NOW
    message = "{name} is {state}: {act} cannot make it {to}."
    remedy = "Read it again; its state tells what comes next."


class BankAccountInvalid(Refusal):
    """Never says the number: what was mistyped is somebody's account too."""

    kind = Kind.MALFORMED
    message = "The {field} of the bank account cannot be right: {why}."
    remedy = "Compare it with the partner's own document and enter it again."


class FileNotValid(Refusal):
    """A bug of ours: the file was not stored, so it cannot be sent."""

    kind = Kind.BUG
    message = "The file does not fit {format}: line {line} breaks {rule}."
    remedy = "Nothing was stored. Report it."


class MandateMissing(Refusal):
    kind = Kind.NOT_NOW
    message = "The account of {partner} has no mandate to collect from it."
    remedy = "Add a bank account with a mandate, or collect by pay-in."


class BankAccountNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no {name}."
    remedy = "List the bank accounts of the partner."


class OwnBankAccount(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "{by} entered {name}: another person confirms it."
    remedy = "Have another person ask the partner over a second channel."


class InstructionNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no {name}."
    remedy = "List the instructions of the batch."


class PaymentFileNotFound(Refusal):
    kind = Kind.NOT_THERE
    message = "There is no {name}."
    remedy = "List the files of the batch."


class PaymentFileReleased(Refusal):
    kind = Kind.NOT_NOW
    message = "{name} was released: what is on its way to the bank cannot be taken back."
    remedy = "Wait for the bank's answer; correct by an adjustment, or supersede what was rejected."


class PaymentFileChanged(Refusal):
    """Lock 3: the bytes are not those that two people approved."""

    kind = Kind.NOT_NOW
    message = "{name} does not have the SHA-256 that was approved: it is not sent."
    remedy = "Somebody changed a stored file. Find out who; restore it from the archive or the backup."


class OwnPaymentFile(Refusal):
    kind = Kind.NOT_ALLOWED
    message = "{by} had a hand in {name}: another person approves it."
    remedy = "Have another person approve it."


class AccountNotVerifiedAnew(Refusal):
    kind = Kind.NOT_NOW
    message = "{partner} has no account that was verified after {name} was refused."
    remedy = "Add the right account and verify it, or verify the present one again as a new one."


class MoneyMayHaveMoved(Refusal):
    kind = Kind.NOT_NOW
    message = "{name} is {state}: {act} would risk that it is paid twice."
    remedy = "Wait for the bank's evidence."


class EntryNotCounted(Refusal):
    """The journal was not read as far as this entry."""

    kind = Kind.NOT_THERE
    message = "Entry {entry} was not counted yet."
    remedy = "Look at GetIngestStatus; try again when the bucket was read so far."


class EntryNotInLine(Refusal):
    """The line counts other entries."""

    kind = Kind.NOT_THERE
    message = "Entry {entry} is not in line {line} of {statement}."
    remedy = "Ask ExplainEntry for the lines that it counts in."
