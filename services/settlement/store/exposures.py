"""Exposures as rows: each lane of the ingest has its own, so that two of them never wait for each other."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, text

from services.settlement.domain.exposure import Exposures
from services.settlement.store.tally import Cursor
from shared.db.columns import Int2s, Names, Texts

_UPSERT = """
INSERT INTO settlement.exposures AS e (partner, lane, awarded, outstanding, held)
SELECT partner, lane, awarded::numeric, outstanding::numeric, held::numeric
FROM unnest(%b, %b, %b, %b, %b) AS n (partner, lane, awarded, outstanding, held)
ON CONFLICT (partner, lane) DO UPDATE SET awarded = e.awarded + EXCLUDED.awarded,
    outstanding = e.outstanding + EXCLUDED.outstanding, held = e.held + EXCLUDED.held
"""
_OF = text("""
SELECT sum(awarded)::text AS awarded, sum(outstanding)::text AS outstanding, sum(held)::text AS held
FROM settlement.exposures WHERE partner = :partner
""")


class Exposure(NamedTuple):
    """Points of one issuer: awarded ever, in wallets now, and held of these."""

    awarded: int = 0
    outstanding: int = 0
    held: int = 0


def add(cursor: Cursor, lane: int, exposures: Exposures) -> None:
    """What a page adds."""
    rows = sorted(exposures.of.items())
    if rows:
        sums = [[str(counts[which]) for _, counts in rows] for which in range(3)]
        names = Names([partner for partner, _ in rows])
        cursor.execute(_UPSERT, [names, Int2s([lane] * len(rows)), *map(Texts, sums)])


def of(connection: Connection, partner: str) -> Exposure:
    """What is known of an issuer."""
    row = connection.execute(_OF, {"partner": partner}).one()
    return Exposure(int(row.awarded or 0), int(row.outstanding or 0), int(row.held or 0))
