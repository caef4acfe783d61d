"""Going on in spite of a condition: proposed by one person, approved by another, for exactly one content."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, text

from services.settlement.domain.batch.refusals import ConditionStands
from services.settlement.domain.machines import BATCH
from services.settlement.domain.proposal import ContentChanged, Kind, Proposal
from services.settlement.store import proposals
from services.settlement.store.batches import conditions, contents, making, rows
from services.settlement.store.batches.rows import Batch

_OVERRIDE = text("""
INSERT INTO settlement.batch_overrides (batch, content_sha256, condition, proposal, overridden_at)
VALUES (:batch, :sha256, :condition, :proposal, :at) ON CONFLICT DO NOTHING
""")


def propose(connection: Connection, batch: Batch, wanted: Collection[str], why: str, by: str, at: datetime) -> Proposal:
    """Raises ConditionStands for what does not block it, or what nobody may override; TransitionRefused for a draft."""
    if not batch.content_sha256:
        BATCH.check(batch.name, batch.state, "PENDING_APPROVAL", "SubmitBatch")
    stored = contents.found(connection, batch, batch.take)
    blocking = {one.name: one for one in conditions.standing(connection, batch, making.dispositions_of(stored), at)}
    for name in sorted(wanted):
        if name not in blocking or name not in conditions.OVERRIDABLE:
            raise ConditionStands(condition=name, batch=batch.name)
    content = {
        "content_sha256": batch.content_sha256.hex(),
        "conditions": [[name, blocking[name].detail] for name in sorted(wanted)],
        "why": why,
    }
    return proposals.propose(connection, Kind.OVERRIDE, batch.name, content, by, at)


def effect(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """What an approved OVERRIDE does: these conditions block this content no more. Raises ContentChanged."""
    batch = rows.locked(connection, proposal.subject)
    content = cast("dict[str, Any]", proposal.content)  # written above
    if batch.content_sha256.hex() != content["content_sha256"]:
        raise ContentChanged(name=batch.name)
    facts = {"batch": batch.number, "sha256": batch.content_sha256, "proposal": proposal.name, "at": at}
    connection.execute(_OVERRIDE, [{**facts, "condition": name} for name, _ in content["conditions"]])
