"""Defaults as rows: declared by two people, borne by the order of the contract, paid out by a batch of its own."""

from __future__ import annotations

import json

from sqlalchemy import Connection, text

from services.settlement.domain.batch import Due
from services.settlement.domain.default import COLLATERAL, DEFAULT
from services.settlement.store.batches.rows import Batch

_OF_PARTNER = text("SELECT document FROM settlement.defaults WHERE partner = :partner AND currency = :currency")
_OF_SUCCESSOR = text(
    "SELECT currency, document FROM settlement.defaults WHERE successor = :batch ORDER BY currency, partner"
)


def collateral_used(connection: Connection, partner: str, currency: str) -> int:
    """What of a partner's collateral earlier defaults took."""
    rows = connection.execute(_OF_PARTNER, {"partner": partner, "currency": currency})
    shares = [share for row in rows for share in json.loads(bytes(row.document))["shares"]]
    return sum(minor for _, bearer, minor in shares if bearer == COLLATERAL)


def dues(connection: Connection, batch: Batch) -> list[Due]:
    """What a default makes everybody who bears it owe to the default account, in the batch that pays the rest out."""
    found = []
    for row in connection.execute(_OF_SUCCESSOR, {"batch": batch.number}):
        shares = json.loads(bytes(row.document))["shares"]
        found += [Due(0, bearer, DEFAULT, row.currency, "DEFAULT", minor) for _, bearer, minor in shares]
    return found
