"""Files of the bank as rows: taken once by their content, whole or not at all, in the order of the account's chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.bank import (
    AccountReport,
    BalanceBroken,
    BankMessage,
    NotAClearingAccount,
    Paper,
    Stated,
    StatementGap,
    UnknownAccount,
    check_balances,
    check_follows,
)
from services.settlement.domain.breaks import BreakReason, Found
from shared.db.columns import Bools, Days, Int4s, Int8s, Names, Texts
from shared.db.sessions import cursor_of
from shared.instants import instant

_LOCK = text("SELECT pg_advisory_xact_lock(8)")
_KNOWN = text("SELECT imported_at FROM settlement.bank_messages WHERE sha256 = :sha256")
_MESSAGE = text("""
INSERT INTO settlement.bank_messages (sha256, paper, file_name, content, imported_by, imported_at)
VALUES (:sha256, :paper, :file_name, :content, :by, :at)
""")
_ACCOUNT = text("SELECT name, clearing FROM settlement.bank_accounts WHERE iban = :iban ORDER BY clearing DESC LIMIT 1")
_LAST = text("""
SELECT sequence, closing_minor, closes_on, place FROM settlement.bank_statements
WHERE account = :account ORDER BY place DESC LIMIT 1
""")
_STATEMENT = text("""
INSERT INTO settlement.bank_statements (sha256, part, account, statement_id, sequence, currency, opening_minor,
    closing_minor, closes_on, place)
VALUES (:sha256, :part, :account, :statement_id, :sequence, :currency, :opening_minor, :closing_minor, :closes_on,
    :place)
""")
_LINES = """
INSERT INTO settlement.bank_lines (sha256, part, stated, account, said_at, number, currency, is_credit, amount_minor,
    booked_on, end_to_end_id, message_id, reference, counterparty_account, counterparty_name, bank_reference,
    return_code)
SELECT %s, %s, %s, %s, %s, n.* FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b) AS n
"""


class Imported(NamedTuple):
    """A file that was taken, or had been taken before."""

    sha256: bytes
    paper: Paper
    before: bool


def take_in(
    connection: Connection,
    content: bytes,
    name: str,
    paper: Paper,
    messages: Sequence[BankMessage],
    by: str,
    at: datetime,
) -> Imported:
    """Store a file and its lines, unless its content is there already, under whatever name (F27).

    Raises UnknownAccount, NotAClearingAccount, StatementGap, BalanceBroken.
    """
    connection.execute(_LOCK)  # a chain of balances has one end
    digest = sha256(content).digest()
    if connection.execute(_KNOWN, {"sha256": digest}).first():
        return Imported(digest, paper, before=True)
    facts = {"sha256": digest, "paper": paper.value, "file_name": name, "content": content, "by": by, "at": at}
    connection.execute(_MESSAGE, facts)
    for part, message in enumerate(messages):
        if isinstance(message, AccountReport):
            _take_in_report(connection, digest, part, message)
    return Imported(digest, paper, before=False)


def broken_by(refusal: StatementGap | BalanceBroken, content: bytes) -> Found:
    """The break that a refused statement leaves behind, so that somebody asks the bank for the missing one."""
    reason = BreakReason.STATEMENT_GAP if isinstance(refusal, StatementGap) else BreakReason.BALANCE_BROKEN
    return Found(reason, subject_of(sha256(content).digest()), str(refusal))


def subject_of(digest: bytes) -> str:
    """How a break names a file of the bank."""
    return f"bankFiles/{digest.hex()}"


def _take_in_report(connection: Connection, digest: bytes, part: int, report: AccountReport) -> None:
    account = _clearing_account(connection, report.account)
    check_balances(report, account)
    if report.paper.is_statement:
        _chain(connection, digest, part, report, account)
    lines = report.lines
    if not lines:
        return
    cursor_of(connection).execute(
        _LINES,
        [
            digest,
            part,
            report.paper.is_statement,
            account,
            instant(report.said_at),
            Int4s([line.number for line in lines]),
            Names([line.currency for line in lines]),
            Bools([line.is_credit for line in lines]),
            Int8s([line.amount_minor for line in lines]),
            Days([line.booked_on for line in lines]),
            Texts([line.end_to_end_id for line in lines]),
            Texts([line.message_id for line in lines]),
            Texts([line.reference for line in lines]),
            Texts([line.counterparty_account for line in lines]),
            Texts([line.counterparty_name for line in lines]),
            Texts([line.bank_reference for line in lines]),
            Texts([line.return_code for line in lines]),
        ],
    )


def _clearing_account(connection: Connection, iban: str) -> str:
    row = connection.execute(_ACCOUNT, {"iban": iban}).first()
    if row is None:
        raise UnknownAccount
    if not row.clearing:
        raise NotAClearingAccount(account=row.name)
    return str(row.name)


def _chain(connection: Connection, digest: bytes, part: int, report: AccountReport, account: str) -> None:
    last = connection.execute(_LAST, {"account": account}).first()
    check_follows(Stated(last.sequence, last.closing_minor, last.closes_on) if last else None, report, account)
    connection.execute(
        _STATEMENT,
        {
            "sha256": digest,
            "part": part,
            "account": account,
            "statement_id": report.statement_id,
            "sequence": report.sequence,
            "currency": report.currency,
            "opening_minor": report.opening_minor,
            "closing_minor": report.closing_minor,
            "closes_on": report.closes_on,
            "place": last.place + 1 if last else 1,
        },
    )
