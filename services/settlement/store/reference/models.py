"""Models as rows."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from services.settlement.domain.model import SettlementModel
from services.settlement.domain.netting import Model as Netting
from services.settlement.domain.proposal import Proposal
from services.settlement.store.reference.calendars import calendar
from services.settlement.store.reference.contents import content_of
from services.settlement.store.transitions import ResourceNotFound

_MODEL = text("""
SELECT * FROM settlement.models
WHERE model = :name AND (CAST(:version AS int) IS NULL OR version = :version) ORDER BY version DESC LIMIT 1
""")
_MODELS = text("""
SELECT DISTINCT ON (model) * FROM settlement.models WHERE model > :after ORDER BY model, version DESC LIMIT :limit
""")
_ADD_MODEL = text("""
INSERT INTO settlement.models (model, version, content, sha256, proposal, published_at)
SELECT :name, count(*) + 1, :content, :sha256, :proposal, :at FROM settlement.models WHERE model = :name
""")


def model(connection: Connection, name: str, version: int | None = None) -> SettlementModel:
    """`models/{id}`: the newest version, or the one that somebody noted. Raises ResourceNotFound."""
    row = connection.execute(_MODEL, {"name": name, "version": version}).one_or_none()
    if row is None:
        raise ResourceNotFound(name=f"{name}/versions/{version}" if version else name)
    return _model(row)


def models(connection: Connection, after: str, limit: int) -> list[SettlementModel]:
    """The newest versions, by name."""
    return [_model(row) for row in connection.execute(_MODELS, {"after": after, "limit": limit})]


def publish_model(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of an approved model. Raises ResourceNotFound when its calendar is not published."""
    calendar(connection, content_of(proposal)["calendar"])
    facts = {"name": proposal.subject, "content": proposal.document, "sha256": proposal.sha256}
    connection.execute(_ADD_MODEL, {**facts, "proposal": proposal.name, "at": at})


def _model(row: Row[Any]) -> SettlementModel:
    content = json.loads(bytes(row.content))["content"]
    return SettlementModel(
        name=row.model,
        version=row.version,
        netting=Netting(content["netting"]),
        calendar=content["calendar"],
        payment_days=content["payment_days"],
        currencies=frozenset(content["currencies"]),
        participants=frozenset(content["participants"]),
        minimum_minor=content["minimum_minor"],
        fx_days=content["fx_days"],
    )
