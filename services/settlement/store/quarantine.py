"""Quarantine: the database may have lost what it did, so nothing leaves the house until two people have looked.

A restored database does not know that it was restored. What it can see is that the archive, which is outside of it,
holds what it has no row of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.proposal import Proposal
from shared.refusal import Kind, Refusal

SUBJECT = "quarantine"

_STANDING = text("SELECT why, since FROM settlement.quarantines WHERE lifted_at IS NULL")
_BEGIN = text("""
INSERT INTO settlement.quarantines (why, since) VALUES (:why, :at)
ON CONFLICT ((true)) WHERE lifted_at IS NULL DO NOTHING
""")
_LIFT = text("UPDATE settlement.quarantines SET lifted_at = :at, lifted_by = :by WHERE lifted_at IS NULL")


class Quarantined(Refusal):
    """Money does not move on a memory that may have a gap."""

    kind = Kind.NOT_NOW
    message = "Settlement is in quarantine: {why}."
    remedy = "Bring archive, bank statements and rows to agree, then propose to lift the quarantine."


class NotQuarantined(Refusal):
    """There is nothing to lift."""

    kind = Kind.NOT_NOW
    message = "Settlement is not in quarantine."


class StillDisagrees(Refusal):
    """What put it into quarantine is still so."""

    kind = Kind.NOT_NOW
    message = "The quarantine cannot be lifted yet: {why}."
    remedy = "Import what is missing, then try again."


class Archived(NamedTuple):
    """What the archive holds of one file."""

    msg_id: str
    sha256: bytes


Disagreement = Callable[[Connection], str]
"""Says what archive, bank statements and rows do not agree on; empty when they do."""


def standing(connection: Connection) -> str:
    """Why it stands; empty when it does not."""
    row = connection.execute(_STANDING).one_or_none()
    return row.why if row else ""


def check(connection: Connection) -> None:
    """For whoever is about to release or send. Raises Quarantined."""
    if why := standing(connection):
        raise Quarantined(why=why)


def begin(connection: Connection, why: str, at: datetime) -> None:
    """Stop what moves money. One that stands already stays as it is."""
    connection.execute(_BEGIN, {"why": why, "at": at})


def lifting(disagreement: Disagreement) -> Callable[[Connection, Proposal, str, datetime], None]:
    """The effect of an approved lifting. Raises StillDisagrees."""

    def lift(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
        if why := disagreement(connection):
            raise StillDisagrees(why=why)
        connection.execute(_LIFT, {"at": at, "by": by})

    return lift


def looking(disagreement: Disagreement) -> Callable[[Connection, datetime], None]:
    """What a stepper does before anything else: compare, and stop what moves money when it does not agree."""

    def look(connection: Connection, at: datetime) -> None:
        if why := disagreement(connection):
            begin(connection, why, at)

    return look


def missing(archive: Iterable[Archived], known: Callable[[list[str]], dict[str, bytes]]) -> str:
    """What the archive has and the rows do not, in a sentence; `known` are the files that were released, by MsgId."""
    held = {one.msg_id: one.sha256 for one in archive}
    rows = known(sorted(held))
    strange = sorted(msg_id for msg_id, sha256 in held.items() if rows.get(msg_id) != sha256)
    if not strange:
        return ""
    return f"the archive has {len(strange)} files that no row knows as sent, first {strange[0]}"
