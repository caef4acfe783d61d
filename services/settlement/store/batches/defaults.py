"""Defaults as rows: declared by two people, borne by the order of the contract, paid out by a batch of its own."""

from __future__ import annotations

import json

from sqlalchemy import Connection, text

from services.settlement.domain.batch import Due
from services.settlement.domain.default import ACCOUNTS, DEFAULT
from services.settlement.domain.terms import Cover, Terms
from services.settlement.store.batches.rows import Batch

_OF_PARTNER = text("SELECT document FROM settlement.defaults WHERE partner = :partner AND currency = :currency")
_OF_SUCCESSOR = text(
    "SELECT currency, document FROM settlement.defaults WHERE successor = :batch ORDER BY currency, partner"
)


def covers_left(connection: Connection, partner: str, currency: str, terms: Terms) -> dict[Cover, int]:
    """What is left of the covers of a partner's contract after earlier defaults."""
    return {
        cover: max(0, minor - used(connection, partner, currency, cover))
        for cover, minor in terms.covers_in(currency).items()
    }


def used(connection: Connection, partner: str, currency: str, cover: Cover) -> int:
    """What of a partner's collateral or guarantee earlier defaults took."""
    rows = connection.execute(_OF_PARTNER, {"partner": partner, "currency": currency})
    shares = [share for row in rows for share in json.loads(bytes(row.document))["shares"]]
    return sum(minor for _, bearer, minor in shares if bearer == ACCOUNTS[cover])


def dues(connection: Connection, batch: Batch) -> list[Due]:
    """What a default makes everybody who bears it owe to the default account, in the batch that pays the rest out."""
    found = []
    for row in connection.execute(_OF_SUCCESSOR, {"batch": batch.number}):
        shares = json.loads(bytes(row.document))["shares"]
        found += [Due(0, bearer, DEFAULT, row.currency, "DEFAULT", minor) for _, bearer, minor in shares]
    return found
