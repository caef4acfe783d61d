"""What a bank tells us, whatever paper it came on: answers to a file, entries of an account, returns.

Amounts are whole minor units and positive; which way the money went stands beside them. Days are the bank's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import NamedTuple

from shared.refusal import Kind, Refusal


class BankFileUnreadable(Refusal):
    """A file of the bank that is not what its name says, or that breaks its own standard."""

    kind = Kind.MALFORMED
    message = "The file cannot be read: {what}, at {where}."
    remedy = "Ask the bank for the file again. Nothing of it was taken."


class AmountInvalid(Refusal):
    """An amount that its currency cannot have, or that is not positive (F13, F14)."""

    kind = Kind.MALFORMED
    message = "The file has an amount that {currency} cannot have: {amount}, at {where}."
    remedy = "Ask the bank for the file again. Nothing of it was taken."


class Paper(Enum):
    """The kinds of file that a bank sends. The value is how its standard calls it."""

    PAIN_002 = "pain.002"
    CAMT_052 = "camt.052"
    CAMT_053 = "camt.053"
    CAMT_054 = "camt.054"
    PACS_004 = "pacs.004"
    MT940 = "MT940"

    @property
    def is_statement(self) -> bool:
        """Whether it chains balances: the others only announce."""
        return self in {Paper.CAMT_053, Paper.MT940}


class Answer(NamedTuple):
    """What the bank says of one payment: a status such as ACCP or RJCT, and the bank's code for a rejection."""

    end_to_end_id: str
    status: str
    code: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The answer to one of our files. `status` is the whole file's, empty when only payments are answered."""

    message_id: str
    said_at: int
    original_message_id: str
    status: str
    code: str
    answers: tuple[Answer, ...]


class Line(NamedTuple):
    """One amount booked on an account. A line that sums up a whole file has no `end_to_end_id` but its message id.

    `reference` is what was written for us to find (a structured reference, or the free text); `return_code` is set
    when money came back.
    """

    number: int
    amount_minor: int
    currency: str
    is_credit: bool
    booked_on: date
    end_to_end_id: str
    message_id: str
    reference: str
    counterparty_account: str
    counterparty_name: str
    bank_reference: str
    return_code: str


@dataclass(frozen=True, slots=True)
class AccountReport:
    """Entries of one account: announced (camt.052, camt.054), or on a statement with its balances.

    Balances are signed minor units and None where the paper has none; `sequence` is None where it is not numbered.
    """

    paper: Paper
    statement_id: str
    said_at: int
    account: str
    currency: str
    sequence: int | None
    opening_minor: int | None
    closing_minor: int | None
    closes_on: date | None
    lines: tuple[Line, ...]

    @property
    def moved_minor(self) -> int:
        """What its entries add up to, signed."""
        return sum(line.amount_minor if line.is_credit else -line.amount_minor for line in self.lines)


class Return(NamedTuple):
    """A payment that came back."""

    end_to_end_id: str
    amount_minor: int
    currency: str
    code: str
    returned_on: date


@dataclass(frozen=True, slots=True)
class ReturnNotice:
    """Payments of one file of ours that came back."""

    message_id: str
    said_at: int
    original_message_id: str
    returns: tuple[Return, ...]


BankMessage = StatusReport | AccountReport | ReturnNotice


class UnknownAccount(Refusal):
    """A statement for an account that is not ours (F12)."""

    kind = Kind.NOT_NOW
    message = "The file is about an account that we do not know."
    remedy = "Add the account, or tell the bank that the file went to the wrong customer."


class NotAClearingAccount(Refusal):
    """A statement for an account of ours through which nothing is settled (F11)."""

    kind = Kind.NOT_NOW
    message = "The file is about {account}, which is no clearing account."
    remedy = "Import statements of clearing accounts only."


class WrongBatch(Refusal):
    """A file that was to be about one batch says something of another one's payments (F01)."""

    kind = Kind.NOT_NOW
    message = "The file is about {belongs_to}, not about {batch} alone."
    remedy = "Import it for the batch that it is about, or for none. Nothing of it was taken."


class StatementGap(Refusal):
    """The statement does not follow the last one (F28)."""

    kind = Kind.NOT_NOW
    message = "Statement {statement} does not follow the last one of {account}: {what}."
    remedy = "Import the missing statement first, then this one again."


class BalanceBroken(Refusal):
    """The statement's entries do not lead from its opening to its closing balance (F05)."""

    kind = Kind.MALFORMED
    message = (
        "Statement {statement} of {account} opens with {opening_minor}, moves {moved_minor}, "
        "closes with {closing_minor}: these do not add up."
    )
    remedy = "Ask the bank for the statement again: a line of it is missing."


def check_balances(report: AccountReport, account: str) -> None:
    """Raises BalanceBroken, AmountInvalid. `account` is the resource name, which may be told."""
    for line in report.lines:
        if line.currency != report.currency:
            raise AmountInvalid(currency=report.currency, amount=line.currency, where=f"line {line.number}")
    if report.opening_minor is None or report.closing_minor is None:
        return
    if report.opening_minor + report.moved_minor != report.closing_minor:
        raise BalanceBroken(
            statement=report.statement_id,
            account=account,
            opening_minor=report.opening_minor,
            moved_minor=report.moved_minor,
            closing_minor=report.closing_minor,
        )


class Stated(NamedTuple):
    """The last statement of an account."""

    sequence: int | None
    closing_minor: int
    closes_on: date


def check_follows(last: Stated | None, report: AccountReport, account: str) -> None:
    """Raises StatementGap. The numbers may begin again with 1 in a new year."""
    if last is None or report.closes_on is None:
        return
    if report.closes_on < last.closes_on:
        raise StatementGap(
            statement=report.statement_id, account=account, what=f"the last one closes on {last.closes_on}"
        )
    if report.sequence is not None and last.sequence is not None and report.sequence != last.sequence + 1:
        new_year = report.sequence == 1 and report.closes_on.year > last.closes_on.year
        if not new_year:
            raise StatementGap(
                statement=report.statement_id, account=account, what=f"the last one is number {last.sequence}"
            )
    if report.opening_minor != last.closing_minor:
        what = f"it opens with {report.opening_minor}, the last one closes with {last.closing_minor}"
        raise StatementGap(statement=report.statement_id, account=account, what=what)


class BankLineNotFound(Refusal):
    """No line of the bank has this name."""

    kind = Kind.NOT_THERE
    message = "There is no line {name}."
    remedy = "List the lines."


class LineDoesNotFit(Refusal):
    """Amount, currency or direction differ: a person may overrule the counterparty, nothing else."""

    kind = Kind.NOT_NOW
    message = "{line} is not {instruction}: amount, currency or direction differ."
    remedy = "Choose the payment that it is, or resolve the break with an adjustment."


class AlreadyMatched(Refusal):
    """A payment is booked by one line, and a line books one payment."""

    kind = Kind.ALREADY
    message = "{line} or {instruction} has its match already."
    remedy = "Explain the break: one of the two was booked twice."
