"""Sets of rates as rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from services.settlement.domain.fx import FxSet
from services.settlement.domain.proposal import Proposal
from services.settlement.store.reference.contents import content_of
from services.settlement.store.transitions import ResourceNotFound
from shared.refusal import Kind as RefusalKind
from shared.refusal import Refusal

_FX_SET = text("SELECT * FROM settlement.fx_sets WHERE fx_set = :name")
_NEWEST_FX_SET = text("""
SELECT * FROM settlement.fx_sets WHERE day <= :on AND (:base = '' OR base = :base)
ORDER BY day DESC, loaded_at DESC, fx_set DESC LIMIT 1
""")
_FX_SETS = text("SELECT * FROM settlement.fx_sets WHERE fx_set > :after ORDER BY fx_set LIMIT :limit")
_QUOTES = text("SELECT currency, quote FROM settlement.fx_quotes WHERE fx_set = :name ORDER BY currency")
_ADD_FX_SET = text("""
INSERT INTO settlement.fx_sets (fx_set, day, base, source, sha256, proposal, loaded_at)
VALUES (:name, :day, :base, :source, :sha256, :proposal, :at)
""")
_ADD_QUOTES = text("INSERT INTO settlement.fx_quotes (fx_set, currency, quote) VALUES (:name, :currency, :quote)")


class AlreadyPublished(Refusal):
    """What is approved never changes."""

    kind = RefusalKind.ALREADY
    message = "{name} is there already, and never changes."
    remedy = "Give the new one another name."


def check_set(connection: Connection, one: FxSet) -> None:
    """Raises AlreadyPublished, FxQuoteRefused, FxQuoteInverted."""
    if connection.execute(_FX_SET, {"name": one.name}).one_or_none():
        raise AlreadyPublished(name=one.name)
    one.check(newest_fx_set(connection, one.day))


def fx_set(connection: Connection, name: str) -> FxSet:
    """`fxSets/{id}`. Raises ResourceNotFound."""
    row = connection.execute(_FX_SET, {"name": name}).one_or_none()
    if row is None:
        raise ResourceNotFound(name=name)
    return _fx_set(connection, row)


def newest_fx_set(connection: Connection, on: date, base: str = "") -> FxSet | None:
    """The set of that day or the last before it; of several of one day the one that was approved last."""
    row = connection.execute(_NEWEST_FX_SET, {"on": on, "base": base}).one_or_none()
    return _fx_set(connection, row) if row else None


def fx_sets(connection: Connection, after: str, limit: int) -> list[FxSet]:
    """The sets by name."""
    return [_fx_set(connection, row) for row in connection.execute(_FX_SETS, {"after": after, "limit": limit})]


def load_fx_set(connection: Connection, proposal: Proposal, by: str, at: datetime) -> None:
    """The effect of an approved set of rates. Looked at again: another set may have been approved meanwhile."""
    one = fx_set_of(proposal.subject, content_of(proposal))
    check_set(connection, one)
    facts = {"name": one.name, "day": one.day, "base": one.base, "source": one.source}
    connection.execute(_ADD_FX_SET, {**facts, "sha256": proposal.sha256, "proposal": proposal.name, "at": at})
    quotes = [{"name": one.name, "currency": currency, "quote": quote} for currency, quote in one.quotes.items()]
    connection.execute(_ADD_QUOTES, quotes)


def fx_set_of(name: str, content: Mapping[str, Any]) -> FxSet:
    """The set that a content stands for."""
    return FxSet(
        name,
        date.fromisoformat(content["day"]),
        content["base"],
        content["source"],
        {currency: Decimal(quote) for currency, quote in content["quotes"].items()},
        frozenset(content["moved"]),
    )


def _fx_set(connection: Connection, row: Row[Any]) -> FxSet:
    quotes = connection.execute(_QUOTES, {"name": row.fx_set})
    return FxSet(row.fx_set, row.day, row.base, row.source, {one.currency: one.quote for one in quotes})
