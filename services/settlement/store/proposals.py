"""Proposals as rows: proposed by one person, decided once by another, in the transaction of what then takes effect."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.machines import PROPOSAL
from services.settlement.domain.proposal import Kind, Proposal, ProposalNotFound, document
from services.settlement.store import transitions
from shared.canonical import Canonical

Effects: TypeAlias = "Mapping[Kind, Callable[[Connection, Proposal, str, datetime], None]]"
"""What a decision of each kind does: (connection, proposal, who decided, at). If it refuses, nothing is decided."""

_NOTHING: Effects = {}

# Two who propose for one subject take turns: the later one voids the earlier.
_LOCK = text("SELECT pg_advisory_xact_lock(6, hashtext(:kind || ' ' || :subject))")
_OPEN = text("""
SELECT name FROM settlement.proposals WHERE kind = :kind AND subject = :subject AND state = 'PROPOSED'
""")
_INSERT = text("""
INSERT INTO settlement.proposals (kind, subject, document, sha256, state, proposed_by, proposed_at, barred, request_id)
VALUES (:kind, :subject, :document, :sha256, 'PROPOSED', :by, :at, :barred, :request_id) RETURNING *
""")
_FOUND = text("SELECT * FROM settlement.proposals WHERE name = :name")
_LOCKED = text("SELECT * FROM settlement.proposals WHERE name = :name FOR UPDATE")
_DECIDE = text("""
UPDATE settlement.proposals SET decided_by = :decided_by, decided_at = :at, why = :why WHERE name = :name
""")
_PAGE = text("""
SELECT * FROM settlement.proposals
WHERE number > :after AND (:state = '' OR state = :state) AND (:kind = '' OR kind = :kind)
    AND (:subject = '' OR subject = :subject)
ORDER BY number LIMIT :limit
""")
_REPLACED = text("""
SELECT p.* FROM settlement.proposals p, settlement.proposals of
WHERE of.name = :name AND p.kind = of.kind AND p.subject = of.subject AND p.state = 'APPROVED' AND p.number < of.number
ORDER BY p.number DESC LIMIT 1
""")


def propose(
    connection: Connection,
    kind: Kind,
    subject: str,
    content: Canonical,
    by: str,
    at: datetime,
    request_id: UUID | None = None,
    *,
    barred: Collection[str] = (),
) -> Proposal:
    """A new proposal; one that was open for the same subject is void from here on.

    `barred` are persons who may not decide it either, though they did not propose it. The request id is kept for
    whoever asks later; that the request counts once is `requests.once`'s.
    """
    connection.execute(_LOCK, {"kind": kind.value, "subject": subject})
    void(connection, kind, subject, by=by, at=at, why="proposed anew")
    proposed = document(kind, subject, content)
    facts = {
        "kind": kind.value,
        "subject": subject,
        "document": proposed,
        "sha256": sha256(proposed).digest(),
        "by": by,
        "at": at,
        "barred": sorted(barred),
        "request_id": request_id,
    }
    made = proposal_of(connection.execute(_INSERT, facts).mappings().one())
    transitions.begin(connection, PROPOSAL, made.name, "PROPOSED", "propose", by=by, evidence=made.sha256, at=at)
    return made


def void(connection: Connection, kind: Kind, subject: str, *, by: str, at: datetime, why: str) -> None:
    """What was proposed for this subject changed by another way: the open proposal cannot be approved any more."""
    for name in connection.execute(_OPEN, {"kind": kind.value, "subject": subject}).scalars().all():
        _decide(connection, name, "VOIDED", "change", None, by, at, why, b"")


def approve(connection: Connection, name: str, sha256: bytes, by: str, at: datetime, effects: Effects) -> Proposal:
    """Approve exactly this content and let it take effect.

    Raises ProposalNotFound, OwnProposal, ContentChanged, TransitionRefused, and whatever its effect refuses.
    """
    proposal = _checked(connection, name, sha256, by)
    _decide(connection, name, "APPROVED", "Approve", by, by, at, "", sha256)
    effects[proposal.kind](connection, found(connection, name), by, at)
    return found(connection, name)


def decline(
    connection: Connection, name: str, sha256: bytes, by: str, at: datetime, why: str, effects: Effects = _NOTHING
) -> Proposal:
    """Say no to exactly this content; most kinds have no effect then. Raises as `approve`."""
    proposal = _checked(connection, name, sha256, by)
    _decide(connection, name, "DECLINED", "Decline", by, by, at, why, sha256)
    if proposal.kind in effects:
        effects[proposal.kind](connection, found(connection, name), by, at)
    return found(connection, name)


def found(connection: Connection, name: str) -> Proposal:
    """Raises ProposalNotFound."""
    return _one(connection.execute(_FOUND, {"name": name}).mappings().first(), name)


def replaced(connection: Connection, name: str) -> Proposal | None:
    """What this one replaces: the last that was approved for its subject before it."""
    row = connection.execute(_REPLACED, {"name": name}).mappings().first()
    return proposal_of(row) if row else None


def page(
    connection: Connection, after: int, limit: int, state: str = "", kind: str = "", subject: str = ""
) -> list[Proposal]:
    """Proposals by number; an empty filter lets everything through."""
    wanted = {"after": after, "limit": limit, "state": state, "kind": kind, "subject": subject}
    return [proposal_of(row) for row in connection.execute(_PAGE, wanted).mappings()]


def proposal_of(row: RowMapping) -> Proposal:
    """A row of proposals."""
    return Proposal(
        name=row["name"],
        kind=Kind(row["kind"]),
        subject=row["subject"],
        document=bytes(row["document"]),
        sha256=bytes(row["sha256"]),
        state=row["state"],
        etag=row["etag"],
        proposed_by=row["proposed_by"],
        proposed_at=row["proposed_at"],
        barred=frozenset(row["barred"]),
        decided_by=row["decided_by"] or "",
        decided_at=row["decided_at"],
        why=row["why"],
    )


def _checked(connection: Connection, name: str, sha256: bytes, by: str) -> Proposal:
    proposal = _one(connection.execute(_LOCKED, {"name": name}).mappings().first(), name)
    proposal.check(by, sha256)
    return proposal


def _decide(
    connection: Connection,
    name: str,
    to: str,
    act: str,
    decided_by: str | None,
    by: str,
    at: datetime,
    why: str,
    evidence: bytes,
) -> None:
    connection.execute(_DECIDE, {"name": name, "decided_by": decided_by, "at": at, "why": why})
    transitions.move(connection, PROPOSAL, "proposals", name, to, act, by=by, why=why, evidence=evidence, at=at)


def _one(row: RowMapping | None, name: str) -> Proposal:
    if row is None:
        raise ProposalNotFound(name=name)
    return proposal_of(row)
