"""What is counted, and how much of it a wallet holds."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Unit(IntEnum):
    """What is counted: redeemable points, tier points, stamps of a card, tickets of a draw."""

    POINTS = 1
    QUALIFYING = 2
    STAMPS = 3
    TICKETS = 4


class Balance(NamedTuple):
    """What a wallet holds of one unit: its balance is available + pending + held - debt."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0

    @property
    def total(self) -> int:
        return self.available + self.pending + self.held - self.debt

    @property
    def most(self) -> int:
        """What could become available at most, once nothing is pending or held."""
        return self.available + self.pending + self.held
