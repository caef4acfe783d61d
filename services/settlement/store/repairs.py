"""What two people do about a payment that failed, or whose fate nobody knows. Each is the effect of a proposal."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, text

from services.settlement.domain.evidence import Evidence, Rank, Verdict
from services.settlement.domain.machines import FILE, INSTRUCTION
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.domain.refusals import AccountNotVerifiedAnew, MoneyMayHaveMoved
from services.settlement.store import accounts, clearing, evidence, files, instructions, proposals, sending, transitions
from services.settlement.store.instructions import SELF, TABLE, Stored
from services.settlement.store.paying import Follow
from shared.canonical import Canonical
from shared.instants import micros

_KEEP = text("""
INSERT INTO settlement.documents (sha256, content, title, brought_by, brought_at)
VALUES (:sha256, :content, :title, :by, :at) ON CONFLICT DO NOTHING
""")
_FAILED = frozenset({"REJECTED", "RETURNED"})


def refile(connection: Connection, msg_id: str, at: datetime) -> str | None:
    """After the bank refused a whole file: a new one with the same payments, EndToEndIds and amounts, and a MsgId of
    its own, that waits for its own approval. Answers with its name; None when nothing of it can be filed again.
    """
    file = files.found(connection, f"files/{msg_id}")
    FILE.check(file.name, "", "BUILT", "refiled")
    again = [one for one in files.instructions_of(connection, msg_id) if _can_go_again(one, msg_id)]
    if file.state != "REJECTED" or not again:
        return None
    return f"files/{files.put(connection, again, 'refiled', 'refiled', at, replaces=msg_id).msg_id}"


def propose_another(connection: Connection, name: str, why: str, by: str, at: datetime) -> Proposal:
    """SupersedeInstruction: pay what failed to an account that was verified since.

    Raises InstructionNotFound, MoneyMayHaveMoved, AccountNotVerifiedAnew.
    """
    old = _failed(connection, name, "SupersedeInstruction")
    account = _verified_since(connection, old, at)
    content: Canonical = {
        **_form(old),
        "bank_account": account.name,
        "account_sha256": account.sha256.hex(),
        "why": why,
    }
    return proposals.propose(connection, Kind.SUPERSEDE, name, content, by, at)


def propose_carrying(connection: Connection, name: str, why: str, by: str, at: datetime) -> Proposal:
    """CarryOver: leave it to the next batch. Raises InstructionNotFound, MoneyMayHaveMoved."""
    old = _failed(connection, name, "CarryOver")
    return proposals.propose(connection, Kind.CARRY_OVER, name, {**_form(old), "why": why}, by, at)


def propose_fate(
    connection: Connection, name: str, verdict: Verdict, document: bytes, title: str, by: str, at: datetime
) -> Proposal:
    """ResolveUnknown: what became of a payment, by a document that both people read.

    Raises InstructionNotFound, MoneyMayHaveMoved.
    """
    stored = instructions.found(connection, name)
    if stored.state != "UNKNOWN":
        raise MoneyMayHaveMoved(name=name, state=stored.state, act="ResolveUnknown")
    digest = sha256(document).digest()
    connection.execute(_KEEP, {"sha256": digest, "content": document, "title": title, "by": by, "at": at})
    content: Canonical = {**_form(stored), "verdict": verdict.value, "document_sha256": digest.hex(), "title": title}
    return proposals.propose(connection, Kind.RESOLVE_UNKNOWN, name, content, by, at)


class Repairs:
    """The effects. `follow` is the batch's: it also takes up what was carried, as an opening balance."""

    def __init__(self, follow: Follow) -> None:
        self._follow = follow

    def supersede(self, connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
        """Another attempt, in a file of its own that is approved as any other."""
        old = _failed(connection, proposal.subject, "SupersedeInstruction")
        account = _verified_since(connection, old, at)
        if account.sha256.hex() != _text(proposal, "account_sha256"):
            raise AccountNotVerifiedAnew(partner=old.partner, name=old.name)
        maker = proposal.proposed_by
        _move(connection, old, "SUPERSEDED", "SupersedeInstruction", maker, proposal, at)
        name = instructions.another(connection, old, account, maker, at)
        files.put(connection, [instructions.found(connection, name)], "SupersedeInstruction", "built", at)
        self._follow(connection, old.batch, at)

    def carry(self, connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
        """Nothing is paid any more: it is an opening balance of a later batch."""
        old = _failed(connection, proposal.subject, "CarryOver")
        _move(connection, old, "CARRIED", "CarryOver", by, proposal, at)
        self._follow(connection, old.batch, at)

    def resolve(self, connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
        """The decision joins the evidence, above the bank's answers and below its books."""
        stored = instructions.found(connection, proposal.subject)
        verdict = Verdict(_text(proposal, "verdict"))
        _move(connection, stored, verdict.value, "ResolveUnknown", by, proposal, at)
        decided = Evidence(Rank.PAYMENT_ANSWER, verdict, micros(at), proposal.name, decided=True)
        evidence.record(connection, [(stored.name, decided)], by, at)
        clearing.look(connection, by, at)
        self._follow(connection, stored.batch, at)


def release_late(connection: Connection, batch: int, at: datetime) -> None:
    """A file that was approved after its batch was released goes as soon as it is covered."""
    sending.release(connection, batch, SELF, at)


def _can_go_again(one: Stored, msg_id: str) -> bool:
    """Rejected with its file, and not in another one meanwhile."""
    return one.state == "REJECTED" and one.msg_id == msg_id


def _failed(connection: Connection, name: str, act: str) -> Stored:
    stored = instructions.found(connection, name)
    if stored.state not in _FAILED:
        raise MoneyMayHaveMoved(name=name, state=stored.state, act=act)
    return stored


def _verified_since(connection: Connection, old: Stored, at: datetime) -> accounts.Stored:
    """The account that money may go to now, if somebody has asked the partner about it after the payment failed."""
    account = accounts.usable(connection, [old.partner], at).get((old.partner, old.currency))
    failed_at = next(step.at for step in reversed(transitions.chain(connection, old.name)) if step.state in _FAILED)
    if account is None or account.verified_at is None or account.verified_at <= failed_at:
        raise AccountNotVerifiedAnew(partner=old.partner, name=old.name)
    return account


def _move(connection: Connection, stored: Stored, to: str, act: str, by: str, proposal: Proposal, at: datetime) -> None:
    why, evidence_ = proposal.name, proposal.sha256
    transitions.move(connection, INSTRUCTION, TABLE, stored.name, to, act, by=by, why=why, evidence=evidence_, at=at)


def _form(stored: Stored) -> dict[str, Canonical]:
    return {
        "amount_minor": stored.amount_minor,
        "currency": stored.currency,
        "instruction": stored.name,
        "partner": stored.partner,
    }


def _text(proposal: Proposal, key: str) -> str:
    content = proposal.content
    if not isinstance(content, dict):
        raise TypeError("the content of a proposal is an object")
    return str(content[key])
