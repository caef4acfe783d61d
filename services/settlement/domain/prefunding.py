"""The operator's own money on a clearing account: pay files need not wait for collections that it covers."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shared.refusal import Kind, Refusal


class Prefunding(NamedTuple):
    """What was put there (positive) or taken back (negative), in minor units. `source` is said for people."""

    name: str
    currency: str
    amount_minor: int
    source: str
    proposal: str
    created_at: datetime


class Standing(NamedTuple):
    """One currency: what no payment has a claim on, and what released batches want to pay and cannot yet."""

    currency: str
    free_minor: int
    waiting_minor: int

    @property
    def missing_minor(self) -> int:
        """What has to come in before all that waits can go."""
        return max(0, self.waiting_minor - self.free_minor) if self.waiting_minor else 0


class PrefundingNotFound(Refusal):
    """No approved prefunding has this name."""

    kind = Kind.NOT_THERE
    message = "There is no approved {name}."
    remedy = "List the prefundings, or the proposals that wait."


class PrefundingNotFree(Refusal):
    """What would be taken back is promised to partners."""

    kind = Kind.NOT_NOW
    message = "{amount_minor} minor units of {currency} cannot be taken back: {free_minor} are free."
    remedy = "Take back at most what is free."
