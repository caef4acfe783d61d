"""Net debit caps: versions that two people agreed on, and who is suspended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.batch.refusals import CapNotFound, OwnSuspension, PartnerNotSuspended
from services.settlement.domain.proposal import Proposal

_NEWEST = """
SELECT DISTINCT ON (partner) partner, version, currency, net_debit_cap_minor::text AS cap_minor,
    alert_minor::text AS alert_minor, outstanding_weight, set_at
FROM settlement.caps WHERE {} ORDER BY partner, version DESC
"""
_OF = text(_NEWEST.format("partner = ANY(:partners)"))
_PAGE = text(_NEWEST.format("partner > :after") + " LIMIT :limit")
_ADD = text("""
INSERT INTO settlement.caps (partner, version, currency, net_debit_cap_minor, alert_minor, outstanding_weight, proposal,
    set_at)
SELECT CAST(:partner AS text), count(*) + 1, :currency, :cap_minor, :alert_minor, :outstanding_weight, :proposal, :at
FROM settlement.caps WHERE partner = :partner
""")
_SUSPENSION = text("""
SELECT partner, suspended, why, by, at FROM settlement.suspensions WHERE partner = :partner ORDER BY step DESC LIMIT 1
""")
_SUSPENDED = text("""
SELECT partner FROM (SELECT DISTINCT ON (partner) partner, suspended FROM settlement.suspensions
    ORDER BY partner, step DESC) AS newest WHERE suspended
""")
_DECIDE = text("""
INSERT INTO settlement.suspensions (partner, step, suspended, why, by, at)
SELECT CAST(:partner AS text), count(*) + 1, :suspended, :why, :by, :at
FROM settlement.suspensions WHERE partner = :partner
""")
_LOCK = text("SELECT pg_advisory_xact_lock(10, hashtext(:partner))")


class Cap(NamedTuple):
    """`cap_minor` is the most that a partner may owe; `weight` the part of its points outstanding that counts as owed
    already; `alert_minor` 0: no alert.
    """

    partner: str
    currency: str
    cap_minor: int
    alert_minor: int = 0
    weight: Decimal = Decimal(0)
    version: int = 0
    set_at: datetime | None = None


class Suspension(NamedTuple):
    """The newest decision about a partner."""

    partner: str
    suspended: bool
    why: str
    by: str
    at: datetime


def in_force(connection: Connection, partners: Iterable[str]) -> dict[str, Cap]:
    """The caps of these partners, of those that have one."""
    rows = connection.execute(_OF, {"partners": sorted(partners)}).mappings()
    return {row["partner"]: _cap(row) for row in rows}


def found(connection: Connection, partner: str) -> Cap:
    """Raises CapNotFound."""
    caps = in_force(connection, [partner])
    if partner not in caps:
        raise CapNotFound(partner=partner)
    return caps[partner]


def page(connection: Connection, after: str, limit: int) -> list[Cap]:
    """Caps by partner."""
    return [_cap(row) for row in connection.execute(_PAGE, {"after": after, "limit": limit}).mappings()]


def effect(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """What an approved CAP does: from now on it is the cap of its partner."""
    content = cast("dict[str, Any]", proposal.content)  # written by api.caps, of texts and numbers
    facts = {
        "partner": proposal.subject.removeprefix("partners/"),
        "currency": content["currency"],
        "cap_minor": content["cap_minor"],
        "alert_minor": content["alert_minor"],
        "outstanding_weight": Decimal(content["outstanding_weight"]),
        "proposal": proposal.name,
        "at": at,
    }
    connection.execute(_LOCK, {"partner": facts["partner"]})
    connection.execute(_ADD, facts)


def suspended(connection: Connection) -> frozenset[str]:
    """Whose nets are held now."""
    return frozenset(connection.execute(_SUSPENDED).scalars())


def suspend(connection: Connection, partner: str, why: str, by: str, at: datetime) -> Suspension:
    """From now on the partner's nets are held. One that is suspended stays so."""
    return _decided(connection, partner, True, why, by, at)


def resume(connection: Connection, partner: str, why: str, by: str, at: datetime) -> Suspension:
    """Raises PartnerNotSuspended, OwnSuspension."""
    connection.execute(_LOCK, {"partner": partner})
    newest = suspension(connection, partner)
    if newest is None or not newest.suspended:
        raise PartnerNotSuspended(partner=partner)
    if newest.by == by:
        raise OwnSuspension(by=by, partner=partner)
    return _decided(connection, partner, False, why, by, at)


def suspension(connection: Connection, partner: str) -> Suspension | None:
    """What was decided last."""
    row = connection.execute(_SUSPENSION, {"partner": partner}).one_or_none()
    return Suspension(*row) if row else None


def _decided(connection: Connection, partner: str, suspended: bool, why: str, by: str, at: datetime) -> Suspension:
    connection.execute(_LOCK, {"partner": partner})
    facts = {"partner": partner, "suspended": suspended, "why": why, "by": by, "at": at}
    connection.execute(_DECIDE, facts)
    return Suspension(partner, suspended, why, by, at)


def _cap(row: RowMapping) -> Cap:
    return Cap(
        row["partner"],
        row["currency"],
        int(row["cap_minor"]),
        int(row["alert_minor"]),
        row["outstanding_weight"],
        row["version"],
        row["set_at"],
    )
