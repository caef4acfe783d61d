"""Award allowances: after each page of the journal, how many points each capped issuer may ever have awarded.

The ledger counts from the first award on, so what it posts while this is calculated counts by itself: position plus
unspent points at their price stay within the cap at every instant. What the ledger has not been told waits in the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.position import UNLIMITED, price_of_an_award, room
from services.settlement.store import caps, exposures
from services.settlement.store.contracts import price_book, versions_known
from services.settlement.store.positions import has_cover, position
from shared.money import exponent_of

_SET = text("""
INSERT INTO settlement.allowances AS a (partner, revision, limit_points, changed_at) VALUES (:partner, 1, :points, :at)
ON CONFLICT (partner) DO UPDATE SET revision = a.revision + 1, limit_points = :points, changed_at = :at
WHERE a.limit_points <> :points
""")
_LOCK = text("SELECT pg_advisory_xact_lock(11, 0)")
_MOST = 1_000_000
_UNTOLD = text("""
SELECT partner, revision, limit_points FROM settlement.allowances WHERE told_revision < revision ORDER BY partner
""")
_TOLD = text("""
UPDATE settlement.allowances SET told_revision = :revision, told_at = :at
WHERE partner = :partner AND told_revision < :revision
""")
_OVERTAKE = text("""
UPDATE settlement.allowances SET revision = :revision, told_revision = :revision - 1 WHERE partner = :partner
    AND revision < :revision
""")
_OF = text("SELECT limit_points, told_revision = revision AS told FROM settlement.allowances WHERE partner = :partner")


class Allowance(NamedTuple):
    """What the ledger is to be told."""

    partner: str
    revision: int
    limit_points: int


def lock(connection: Connection) -> None:
    """From here to the end of the transaction nobody else sets limits: an older look must not undo a newer one."""
    connection.execute(_LOCK)


def wanted(connection: Connection) -> bool:
    """Whether any issuer has a cap: without one nothing follows from what is counted."""
    return bool(caps.page(connection, "", 1))


def limits(connection: Connection, at: datetime) -> dict[str, int]:
    """The limit of each capped issuer: what it has awarded, and the room that is left. Of one moment: a snapshot."""
    capped = caps.page(connection, "", _MOST)
    if not capped:
        return {}
    book = price_book(connection, versions_known(connection))
    found = {}
    for cap in capped:
        now = position(connection, cap.partner, at, cap.weight)
        price = price_of_an_award([version.terms for version in book.of(cap.partner)], cap.weight)
        # Nobody says what another currency is worth, and who has no cover left gets none: then there is no room.
        fits = now.currency == cap.currency and has_cover(connection, cap.partner, at)
        free = room(now, cap.cap_minor, exponent_of(cap.currency), price) if fits else 0
        found[cap.partner] = min(UNLIMITED, exposures.of(connection, cap.partner).awarded + free)
    return found


def set_all(connection: Connection, found: Mapping[str, int], at: datetime) -> None:
    """A limit that stays is not told again."""
    for partner, points in found.items():
        connection.execute(_SET, {"partner": partner, "points": points, "at": at})


def untold(connection: Connection) -> list[Allowance]:
    """What the ledger has not been told."""
    return [Allowance(*row) for row in connection.execute(_UNTOLD)]


def told(connection: Connection, allowance: Allowance, at: datetime) -> None:
    """The ledger has it."""
    connection.execute(_TOLD, {**allowance._asdict(), "at": at})


def overtake(connection: Connection, partner: str, revision: int) -> None:
    """Somebody told the ledger a later revision: ours is told under the next one."""
    connection.execute(_OVERTAKE, {"partner": partner, "revision": revision + 1})


def of(connection: Connection, partner: str) -> tuple[int, bool]:
    """The limit, and whether the ledger has heard of it."""
    row = connection.execute(_OF, {"partner": partner}).one_or_none()
    return (row.limit_points, row.told) if row else (0, False)
