"""Prefundings as rows: proposed by one person, there when another has approved; files that waited are looked at."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, text

from services.settlement.domain.prefunding import Prefunding, PrefundingNotFound, PrefundingNotFree, Standing
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.store import files, funding, proposals, sending, steps
from shared.canonical import Canonical

_INSERT = text("""
INSERT INTO settlement.prefundings (name, currency, amount_minor, source, proposal, created_at)
VALUES (:name, :currency, :amount_minor, :source, :proposal, :at)
""")
_ONE = text("""
SELECT name, currency, amount_minor, source, proposal, created_at FROM settlement.prefundings WHERE name = :name
""")
_PAGE = text("""
SELECT name, currency, amount_minor, source, proposal, created_at FROM settlement.prefundings
WHERE (created_at, name) > (CAST(:at AS timestamptz), :name) ORDER BY created_at, name LIMIT :limit
""")
_ALL = text("""
SELECT name, currency, amount_minor, source, proposal, created_at FROM settlement.prefundings
ORDER BY created_at, name
""")
_WAITING = text("SELECT subject FROM settlement.steps WHERE kind = :fund AND state = 'DUE' ORDER BY subject")


def propose(
    connection: Connection, currency: str, amount_minor: int, source: str, by: str, at: datetime, request_id: UUID
) -> Proposal:
    """Raises PrefundingNotFree."""
    _check(connection, currency, amount_minor)
    content: Canonical = {"amount_minor": amount_minor, "currency": currency, "source": source}
    return proposals.propose(connection, Kind.PREFUNDING, f"prefundings/{request_id}", content, by, at, request_id)


def effect(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """What an approved PREFUNDING does. Raises PrefundingNotFree: it may have been promised meanwhile."""
    content = cast("dict[str, Any]", proposal.content)  # written above
    funding.lock(connection)
    _check(connection, content["currency"], content["amount_minor"])
    connection.execute(_INSERT, {**content, "name": proposal.subject, "proposal": proposal.name, "at": at})
    for subject in connection.execute(_WAITING, {"fund": sending.FUND}).scalars().all():
        steps.ask(connection, sending.FUND, subject, due_at=at, at=at)


def found(connection: Connection, name: str) -> Prefunding:
    """Raises PrefundingNotFound."""
    row = connection.execute(_ONE, {"name": name}).one_or_none()
    if row is None:
        raise PrefundingNotFound(name=name)
    return Prefunding(*row)


def page(connection: Connection, after: tuple[datetime, str], limit: int) -> list[Prefunding]:
    """The approved ones, oldest first, from after this instant and name."""
    return [Prefunding(*row) for row in connection.execute(_PAGE, {"at": after[0], "name": after[1], "limit": limit})]


def every(connection: Connection) -> list[Prefunding]:
    """All that were approved, oldest first."""
    return [Prefunding(*row) for row in connection.execute(_ALL)]


def standing(connection: Connection) -> list[Standing]:
    """What can be paid and what waits, by currency."""
    free, waiting = funding.free(connection), Counter[str]()
    for subject in connection.execute(_WAITING, {"fund": sending.FUND}).scalars().all():
        for file in files.of_batch(connection, int(subject.removeprefix("batches/")), "APPROVED"):
            if file.kind == "PAY":
                waiting[file.currency] += sending.claim(connection, file)
    return [Standing(one, free.get(one, 0), waiting[one]) for one in sorted(free.keys() | waiting.keys())]


def _check(connection: Connection, currency: str, amount_minor: int) -> None:
    free = funding.free(connection).get(currency, 0)
    if amount_minor < 0 and free + amount_minor < 0:
        raise PrefundingNotFree(amount_minor=-amount_minor, currency=currency, free_minor=free)
