"""Contract versions: proposed by one person, inserted when another approves, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.contract import ContractVersion, PriceBook, VersionId, next_version
from services.settlement.domain.proposal import Kind, Proposal
from services.settlement.domain.refusals import (
    ContractVersionInClosedWindow,
    ContractVersionOverlaps,
    ContractVersionRetroactive,
)
from services.settlement.domain.terms import Rounding, Terms, Timing, terms_of
from services.settlement.store import proposals, windows
from shared.canonical import canonical
from shared.db.sessions import Sessions
from shared.ids import derived
from shared.instants import instant, micros
from shared.money import Rate

_VERSIONS = text("SELECT * FROM settlement.contract_versions WHERE ordinal <= :known ORDER BY partner, number")
_OF_PARTNER = text("""
SELECT * FROM settlement.contract_versions WHERE partner = :partner AND number > :after ORDER BY number LIMIT :limit
""")
_OF_PROPOSAL = text("SELECT * FROM settlement.contract_versions WHERE proposal = :proposal")
_INSERT = text("""
INSERT INTO settlement.contract_versions (partner, number, effective_from, timing, rate_at_issuance,
    reimbursement_rate, currency, rounding, sha256, request_id, request_hash, created_at, terms, proposal, ordinal)
SELECT :partner, :number, :effective_from, :timing, :rate_at_issuance,
    :reimbursement_rate, :currency, :rounding, :sha256, :request_id, :request_hash, :created_at, :terms, :proposal,
    count(*) + 1
FROM settlement.contract_versions
""")
_END = text("""
UPDATE settlement.contract_versions SET effective_until = :until
WHERE partner = :partner AND number = :number AND effective_until IS NULL
""")
_COUNTED_UNTIL = text("""
SELECT max(r.latest_at) AS latest, max(r.latest_at) FILTER (WHERE w.state IN ('CLOSED', 'SETTLED')) AS closed
FROM settlement.all_rollups r JOIN settlement.windows w ON w.number = r.window_number WHERE r.partner = :partner
""")
_STATE = text("SELECT count(*) FROM settlement.contract_versions")
_MOST = 1_000_000


class Published(NamedTuple):
    """A version, when it was published or proposed, where it ends, and the proposal that it comes from."""

    version: ContractVersion
    created_at: datetime
    effective_until: int | None = None
    proposal: str = ""
    state: str = "PUBLISHED"


class Contracts:
    """Reads versions back."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def of_partner(self, partner: str, after: int, limit: int, within: float) -> list[Published]:
        """Versions by number, each with the start of the next one as its end."""
        with self._sessions.reading(within) as connection:
            wanted = {"partner": partner, "after": after, "limit": limit + 1}
            rows = connection.execute(_OF_PARTNER, wanted).mappings().all()
        starts: list[int | None] = [micros(row["effective_from"]) for row in rows[1:]]
        found = zip(rows, [*starts, None], strict=False)  # without versions there is nothing to end
        return [_published(row)._replace(effective_until=end) for row, end in found][:limit]


def propose(connection: Connection, partner: str, terms: Terms, by: str, at: datetime) -> str:
    """Propose a version; answers with the proposal's name.

    Raises ContractVersionOverlaps, ContractVersionRetroactive, ContractVersionInClosedWindow.
    """
    windows.lock(connection)  # two who propose at once get their numbers one after the other
    content = _next(connection, partner, terms).form
    return proposals.propose(connection, Kind.CONTRACT_VERSION, f"partners/{partner}/contract", content, by, at).name


def proposed(connection: Connection, name: str) -> Published:
    """What became of a proposal, or what it would become."""
    row = connection.execute(_OF_PROPOSAL, {"proposal": name}).mappings().first()
    if row is not None:
        return _published(row)
    proposal = proposals.found(connection, name)
    content: Any = proposal.content
    version = ContractVersion(VersionId(content["partner"], content["number"]), _terms(content))
    return Published(version, proposal.proposed_at, None, name, proposal.state)


def publish(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of approving a version: it begins to price, and ends the one before.

    What it was checked against when it was proposed may have changed: it is checked again. Raises as `propose`.
    """
    windows.lock(connection)  # nothing may be counted at the old terms while the new ones are looked at
    content: Any = proposal.content
    terms = _terms(content)
    version = _next(connection, content["partner"], terms)
    if version.form != content:  # another one was published meanwhile, and this would be another number
        raise ContractVersionOverlaps(partner=version.id.partner, newest=version.id.number - 1)
    last = {"partner": version.id.partner, "number": version.id.number - 1, "until": instant(terms.effective_from)}
    connection.execute(_END, last)
    connection.execute(_INSERT, _row(version, at, proposal.name))


def price_book(connection: Connection, known: int) -> PriceBook:
    """The first `known` versions that were published, of all contracts."""
    return PriceBook(version_of(row) for row in connection.execute(_VERSIONS, {"known": known}).mappings())


def versions_known(connection: Connection) -> int:
    """How many versions there are: versions are only added, so a number of them is a state of the book."""
    return int(connection.execute(_STATE).scalar_one())


def version_of(row: RowMapping) -> ContractVersion:
    """A row of contract_versions; those of the first release have their terms in columns alone."""
    id_ = VersionId(row["partner"], row["number"])
    if row["terms"] is not None:
        return ContractVersion(id_, terms_of(json.loads(row["terms"])))
    terms = Terms(
        effective_from=micros(row["effective_from"]),
        timing=Timing(row["timing"]),
        rate_at_issuance=Rate.of(row["rate_at_issuance"]),
        reimbursement_rate=Rate.of(row["reimbursement_rate"]),
        currency=row["currency"],
        rounding=Rounding(row["rounding"]),
    )
    return ContractVersion(id_, terms)


def _next(connection: Connection, partner: str, terms: Terms) -> ContractVersion:
    wanted = {"partner": partner, "after": 0, "limit": _MOST}
    existing = [version_of(row) for row in connection.execute(_OF_PARTNER, wanted).mappings()]
    version = next_version(partner, existing, terms)
    _check_not_retroactive(connection, partner, terms)
    return version


def _check_not_retroactive(connection: Connection, partner: str, terms: Terms) -> None:
    """What was counted keeps its price, and a month or a pack of a closed window is billed no more."""
    counted = connection.execute(_COUNTED_UNTIL, {"partner": partner}).one()
    closed = [counted.closed] if counted.closed is not None else []
    edge = windows.last_edge(connection)
    if edge is not None and terms.acts_by_itself:
        closed.append(edge)
    if closed and terms.effective_from <= micros(max(closed)):
        raise ContractVersionInClosedWindow(closed_at=max(closed).isoformat())
    if counted.latest is not None and terms.effective_from <= micros(counted.latest):
        raise ContractVersionRetroactive(partner=partner, counted_until=counted.latest.isoformat())


def _published(row: RowMapping) -> Published:
    until = row["effective_until"]
    return Published(
        version_of(row), row["created_at"], None if until is None else micros(until), row["proposal"] or ""
    )


def _terms(content: Mapping[str, Any]) -> Terms:
    """The terms in what was proposed."""
    return terms_of({name: value for name, value in content.items() if name not in {"number", "partner", "v"}})


def columns_of(version: ContractVersion) -> dict[str, Any]:
    """What the columns say of a version, beside its canonical terms."""
    terms = version.terms
    return {
        "effective_from": instant(terms.effective_from),
        "timing": terms.timing.value,
        "rate_at_issuance": terms.rate_at_issuance.value,
        "reimbursement_rate": terms.reimbursement_rate.value,
        "currency": terms.currency,
        "rounding": terms.rounding.value,
    }


def _row(version: ContractVersion, at: datetime, proposal: str) -> Mapping[str, Any]:
    return {
        **columns_of(version),
        "partner": version.id.partner,
        "number": version.id.number,
        "sha256": version.sha256,
        "request_id": derived("published", proposal),
        "request_hash": version.sha256,
        "created_at": at,
        "terms": canonical(version.terms.form),
        "proposal": proposal,
    }
