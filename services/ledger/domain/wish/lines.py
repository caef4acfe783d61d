"""The lines of an award or of its reversal."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from services.ledger.domain.entry import Unit


class Line(NamedTuple):
    """One part of an award or of its reversal. Issuer, unit and campaign tell the parts of one award apart."""

    issuer: str
    points: int
    expires_on: date | None = None
    unit: Unit = Unit.POINTS
    available_from: int | None = None
    campaign: str = ""

    @property
    def key(self) -> LineKey:
        return LineKey(self.issuer, self.unit, self.campaign)


class LineKey(NamedTuple):
    """What one award has at most one line of."""

    issuer: str
    unit: Unit = Unit.POINTS
    campaign: str = ""
