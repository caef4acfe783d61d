"""Openings: what a batch leaves open is taken in by the next one, exactly once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from services.settlement.domain.batch import Disposition, Opening

_CARRY = text("""
INSERT INTO settlement.openings (batch, partner, currency, minor, why, instruction, carried_at)
VALUES (:batch, :partner, :currency, :minor, :why, :instruction, :at)
""")
_FREE = """
SELECT name, partner, currency, minor::text AS minor, why FROM settlement.openings
WHERE taken_by IS NULL AND (:all OR currency = ANY(:currencies))
    AND (:origin = 0 OR batch = :origin AND why = 'DEFAULT')
ORDER BY number
"""
_SEEN = text(_FREE)
_LOCKED = text(_FREE + "FOR UPDATE")
_CARRIED = text("""
INSERT INTO settlement.openings (batch, partner, currency, minor, why, instruction, carried_at)
SELECT batch, partner, currency, CASE kind WHEN 'PAY' THEN amount_minor ELSE -amount_minor END, 'CARRIED', name, :at
FROM settlement.instructions WHERE batch = :batch AND state = 'CARRIED'
ON CONFLICT (instruction) WHERE instruction <> '' DO NOTHING
""")
_TAKE = text("UPDATE settlement.openings SET taken_by = :batch WHERE name = ANY(:names)")
_GIVE_BACK = text("UPDATE settlement.openings SET taken_by = NULL WHERE taken_by = :batch")
_TAKEN = text("""
SELECT name, partner, currency, minor::text AS minor, why FROM settlement.openings
WHERE taken_by = :batch ORDER BY number
""")
_PAGE = text("""
SELECT number, name, batch, partner, currency, minor::text AS minor, why, carried_at FROM settlement.openings
WHERE number > :after AND taken_by IS NULL ORDER BY number LIMIT :limit
""")


class Open(NamedTuple):
    """An opening that no batch has taken in."""

    number: int
    name: str
    batch: int
    partner: str
    currency: str
    minor: int
    why: str
    carried_at: datetime


def carry(
    connection: Connection,
    batch: int,
    partner: str,
    currency: str,
    minor: int,
    why: str,
    at: datetime,
    instruction: str = "",
) -> None:
    """Leave something open for the next batch: + the partner still gets it, - it still owes it.

    Of an instruction only once; of a batch once for each partner and currency.
    """
    facts = {"batch": batch, "partner": partner, "currency": currency, "minor": minor, "why": why}
    connection.execute(_CARRY, {**facts, "instruction": instruction, "at": at})


def carry_over(connection: Connection, batch: int, at: datetime) -> None:
    """What two people gave up paying by an instruction that the bank refused or returned. Again changes nothing."""
    connection.execute(_CARRIED, {"batch": batch, "at": at})


def leave(connection: Connection, batch: int, dispositions: Iterable[Disposition], at: datetime) -> None:
    """What a released batch carries and holds."""
    for one in dispositions:
        if one.left_minor:
            carry(connection, batch, one.partner, one.currency, one.left_minor, one.why, at)


def take(connection: Connection, batch: int, currencies: Collection[str], origin: int = 0) -> tuple[Opening, ...]:
    """All that is open in these currencies, or in any when none is named, for this batch and no other.

    `origin` is a batch of which only what a default stopped is wanted.
    """
    found = [_opening(row) for row in connection.execute(_LOCKED, _wanted(currencies, origin))]
    connection.execute(_TAKE, {"batch": batch, "names": [one.name for one in found]})
    return tuple(found)


def free(connection: Connection, currencies: Collection[str], origin: int = 0) -> tuple[Opening, ...]:
    """What `take` would take."""
    return tuple(_opening(row) for row in connection.execute(_SEEN, _wanted(currencies, origin)))


def give_back(connection: Connection, batch: int) -> None:
    """Another batch may take them in."""
    connection.execute(_GIVE_BACK, {"batch": batch})


def taken(connection: Connection, batch: int) -> tuple[Opening, ...]:
    """What a batch took in."""
    return tuple(_opening(row) for row in connection.execute(_TAKEN, {"batch": batch}))


def page(connection: Connection, after: int, limit: int) -> list[Open]:
    """What is open, oldest first."""
    rows = connection.execute(_PAGE, {"after": after, "limit": limit})
    return [
        Open(row.number, row.name, row.batch, row.partner, row.currency, int(row.minor), row.why, row.carried_at)
        for row in rows
    ]


def _wanted(currencies: Collection[str], origin: int) -> dict[str, object]:
    return {"all": not currencies, "currencies": sorted(currencies), "origin": origin}


def _opening(row: Row[Any]) -> Opening:
    return Opening(row.name, row.partner, row.currency, int(row.minor), row.why)
