"""Bank accounts: entered by one person, approved by another, confirmed by one who asked the partner."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, text

from services.settlement.domain.account import Account, Channel, masked, usable_from
from services.settlement.domain.machines import ACCOUNT
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.domain.refusals import OwnBankAccount
from services.settlement.formats import bank_numbers
from services.settlement.store import proposals, transitions
from services.settlement.store.accounts.rows import Stored, found, stored_of

_TABLE = "bank_accounts"
# Two who enter accounts of one owner take turns: numbers run 1, 2, 3.
_LOCK = text("SELECT pg_advisory_xact_lock(7, hashtext(:owner))")
_NEXT = text("SELECT coalesce(max(number), 0) + 1 FROM settlement.bank_accounts WHERE owner = :owner")
_INSERT = text("""
INSERT INTO settlement.bank_accounts (name, owner, number, clearing, currency, holder, iban, bic, mandate_id,
    mandate_signed_on, creditor_id, sha256, entered_by, entered_at, state)
VALUES (:name, :owner, :number, :clearing, :currency, :holder, :iban, :bic, :mandate_id,
    :mandate_signed_on, :creditor_id, :sha256, :by, :at, 'ENTERED')
""")
_PROPOSED = text("UPDATE settlement.bank_accounts SET proposal = :proposal WHERE name = :name")
_VERIFY = text("""
UPDATE settlement.bank_accounts SET verified_by = :by, verified_at = :at, channel = :channel, channel_note = :note,
    usable_from = :usable_from
WHERE name = :name
""")
_ONE_LOCKED = text("SELECT * FROM settlement.bank_accounts WHERE name = :name FOR UPDATE")
_HAS_ANOTHER = text("""
SELECT EXISTS (SELECT FROM settlement.bank_accounts
WHERE owner = :owner AND clearing = :clearing AND currency = :currency AND state = 'VERIFIED' AND name <> :name)
""")


def enter(connection: Connection, account: Account, by: str, at: datetime, request_id: UUID | None = None) -> Stored:
    """A new account, which another person has to approve. Raises BankAccountInvalid."""
    bank_numbers.check(account)
    connection.execute(_LOCK, {"owner": account.partner})
    number = connection.execute(_NEXT, {"owner": account.partner}).scalar_one()
    name = f"partners/{account.partner}/bankAccounts/{number}"
    digest = sha256(account.bytes).digest()
    connection.execute(
        _INSERT, {**_columns(account), "name": name, "number": number, "sha256": digest, "by": by, "at": at}
    )
    transitions.begin(connection, ACCOUNT, name, "ENTERED", "AddBankAccount", by=by, evidence=digest, at=at)
    content = {
        "currency": account.currency,
        "holder": account.holder,
        "iban": masked(account.iban),
        "purpose": account.purpose.value,
        "sha256": digest.hex(),
    }
    made = proposals.propose(connection, Kind.BANK_ACCOUNT, name, content, by, at, request_id)
    connection.execute(_PROPOSED, {"name": name, "proposal": made.name})
    return found(connection, name)


def approved(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of approving a BANK_ACCOUNT proposal."""
    move = transitions.move
    move(connection, ACCOUNT, _TABLE, proposal.subject, "APPROVED", "Approve", by=by, evidence=proposal.sha256, at=at)


def verify(
    connection: Connection, name: str, channel: Channel, note: str, cooling: timedelta, by: str, at: datetime
) -> Stored:
    """Somebody asked the partner over a second channel, and it is the partner's account.

    Raises BankAccountNotFound, OwnBankAccount, TransitionRefused.
    """
    stored = stored_of(connection.execute(_ONE_LOCKED, {"name": name}).mappings().first(), name)
    if by == stored.entered_by:
        raise OwnBankAccount(by=by, name=name)
    account = stored.account
    facts = {"owner": account.partner, "clearing": account.is_clearing, "currency": account.currency, "name": name}
    replaces = bool(connection.execute(_HAS_ANOTHER, facts).scalar_one())
    since = usable_from(at, replaces=replaces, cooling=cooling)
    values = {"name": name, "by": by, "at": at, "channel": channel.value, "note": note, "usable_from": since}
    connection.execute(_VERIFY, values)
    evidence = stored.sha256
    transitions.move(
        connection,
        ACCOUNT,
        _TABLE,
        name,
        "VERIFIED",
        "VerifyBankAccount",
        by=by,
        why=channel.value,
        evidence=evidence,
        at=at,
    )
    return found(connection, name)


def _columns(account: Account) -> dict[str, object]:
    return {
        "owner": account.partner,
        "clearing": account.is_clearing,
        "currency": account.currency,
        "holder": account.holder,
        "iban": account.iban,
        "bic": account.bic,
        "mandate_id": account.mandate.id if account.mandate else "",
        "mandate_signed_on": account.mandate.signed_on if account.mandate else None,
        "creditor_id": account.creditor_id,
    }
