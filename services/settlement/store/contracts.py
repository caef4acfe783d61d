"""Contract versions: inserted, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from services.settlement.domain.contract import (
    ContractVersion,
    PriceBook,
    Rounding,
    Terms,
    Timing,
    VersionId,
    next_version,
)
from services.settlement.domain.refusals import (
    ContractVersionInClosedWindow,
    ContractVersionRetroactive,
    RequestIdReused,
)
from services.settlement.store import windows
from shared.db.sessions import Sessions
from shared.instants import instant, micros
from shared.money import Rate

_VERSIONS = text("SELECT * FROM settlement.contract_versions WHERE ordinal <= :known ORDER BY partner, number")
_OF_PARTNER = text("""
SELECT * FROM settlement.contract_versions WHERE partner = :partner AND number > :after ORDER BY number LIMIT :limit
""")
_BY_REQUEST = text("SELECT * FROM settlement.contract_versions WHERE request_id = :request_id")
_INSERT = text("""
INSERT INTO settlement.contract_versions (partner, number, effective_from, timing, rate_at_issuance,
    reimbursement_rate, currency, rounding, sha256, request_id, request_hash, created_at, ordinal)
SELECT :partner, :number, :effective_from, :timing, :rate_at_issuance,
    :reimbursement_rate, :currency, :rounding, :sha256, :request_id, :request_hash, :created_at, count(*) + 1
FROM settlement.contract_versions
""")
_COUNTED_UNTIL = text("""
SELECT max(r.latest_at) AS latest, max(r.latest_at) FILTER (WHERE w.state = 'CLOSED') AS closed
FROM settlement.rollups r JOIN settlement.windows w ON w.number = r.window_number WHERE r.partner = :partner
""")
_STATE = text("SELECT count(*) FROM settlement.contract_versions")
_MOST = 1_000_000


class Published:
    """A version as it was stored, and when."""

    def __init__(self, version: ContractVersion, created_at: datetime, effective_until: int | None = None) -> None:
        self.version = version
        self.created_at = created_at
        self.effective_until = effective_until


class Contracts:
    """Publishes versions and reads them back."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def published(
        self, partner: str, terms: Terms, request_id: UUID, request_hash: bytes, at: datetime, within: float
    ) -> tuple[Published, bool]:
        """The version of this request, and whether it was there before.

        Raises ContractVersionOverlaps, ContractVersionRetroactive, ContractVersionInClosedWindow, RequestIdReused.
        """
        with self._sessions.writing(within) as connection:
            windows.lock(connection)  # nothing may be counted at the old terms while the new ones are looked at
            if row := connection.execute(_BY_REQUEST, {"request_id": request_id}).mappings().first():
                if bytes(row["request_hash"]) != request_hash:
                    raise RequestIdReused(request_id=request_id, first=_id(row))
                return Published(version_of(row), row["created_at"]), True
            version = next_version(partner, self._existing(connection, partner), terms)
            _check_not_retroactive(connection, partner, terms)
            connection.execute(_INSERT, _row(version, request_id, request_hash, at))
            return Published(version, at), False

    def of_partner(self, partner: str, after: int, limit: int, within: float) -> list[Published]:
        """Versions by number, each with the start of the next one as its end."""
        with self._sessions.reading(within) as connection:
            wanted = {"partner": partner, "after": after, "limit": limit + 1}
            rows = connection.execute(_OF_PARTNER, wanted).mappings().all()
        starts: list[int | None] = [micros(row["effective_from"]) for row in rows[1:]]
        found = zip(rows, [*starts, None], strict=False)  # without versions there is nothing to end
        return [Published(version_of(row), row["created_at"], end) for row, end in found][:limit]

    def _existing(self, connection: Connection, partner: str) -> list[ContractVersion]:
        wanted = {"partner": partner, "after": 0, "limit": _MOST}
        return [version_of(row) for row in connection.execute(_OF_PARTNER, wanted).mappings()]


def price_book(connection: Connection, known: int) -> PriceBook:
    """The first `known` versions that were published, of all contracts."""
    return PriceBook(version_of(row) for row in connection.execute(_VERSIONS, {"known": known}).mappings())


def versions_known(connection: Connection) -> int:
    """How many versions there are: versions are only added, so a number of them is a state of the book."""
    return int(connection.execute(_STATE).scalar_one())


def version_of(row: RowMapping) -> ContractVersion:
    """A row of contract_versions."""
    return ContractVersion(
        VersionId(row["partner"], row["number"]),
        Terms(
            effective_from=micros(row["effective_from"]),
            timing=Timing(row["timing"]),
            rate_at_issuance=Rate.of(row["rate_at_issuance"]),
            reimbursement_rate=Rate.of(row["reimbursement_rate"]),
            currency=row["currency"],
            rounding=Rounding(row["rounding"]),
        ),
    )


def _check_not_retroactive(connection: Connection, partner: str, terms: Terms) -> None:
    """What was counted keeps its price: a version may only begin after it."""
    counted = connection.execute(_COUNTED_UNTIL, {"partner": partner}).one()
    if counted.closed is not None and terms.effective_from <= micros(counted.closed):
        raise ContractVersionInClosedWindow(closed_at=counted.closed.isoformat())
    if counted.latest is not None and terms.effective_from <= micros(counted.latest):
        raise ContractVersionRetroactive(partner=partner, counted_until=counted.latest.isoformat())


def _id(row: RowMapping) -> str:
    return f"partners/{row['partner']}/contract/versions/{row['number']}"


def _row(version: ContractVersion, request_id: UUID, request_hash: bytes, at: datetime) -> Mapping[str, Any]:
    terms = version.terms
    return {
        "partner": version.id.partner,
        "number": version.id.number,
        "effective_from": instant(terms.effective_from),
        "timing": terms.timing.value,
        "rate_at_issuance": terms.rate_at_issuance.value,
        "reimbursement_rate": terms.reimbursement_rate.value,
        "currency": terms.currency,
        "rounding": terms.rounding.value,
        "sha256": version.sha256,
        "request_id": request_id,
        "request_hash": request_hash,
        "created_at": at,
    }
