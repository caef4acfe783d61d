"""Who may post where, as the writer and those who forward to others see it: cheap to ask, never a query."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from services.ledger.store.stripes import stripe_count
from shared.refusal import Kind, Refusal


class StripeMoved(Refusal):
    """Another process posts for this bucket by now. Never leaves the service: the wish goes there."""

    kind = Kind.CHANGED
    message = "Another process posts for this bucket."
    remedy = "Repeat with the same request id."


class Fenced(Exception):
    """The database knows another epoch of this stripe: somebody took it over while we slept. Nothing was written."""

    def __init__(self, stripe: int, epoch: int) -> None:
        super().__init__(f"stripe {stripe} was held with epoch {epoch}")
        self.stripe = stripe
        self.epoch = epoch


class Holdings(Protocol):
    """The stripes of this process and of its peers."""

    def held(self) -> Mapping[int, int]:
        """Our stripes, each with the epoch of our lease: a snapshot that does not change."""

    def holder_of(self, stripe: int) -> str | None:
        """The address of the other process that posts for a stripe; None when we know of none."""

    def fenced(self, stripe: int, epoch: int) -> None:
        """Our lease of this epoch is over: forget the stripe and look who has it."""

    def look(self) -> None:
        """Somebody needs to know better than we do now: look at the leases again."""


class AllMine:
    """Every stripe belongs to us: for whoever is alone on a database that was never leased."""

    def __init__(self, bucket_count: int) -> None:
        self._held = MappingProxyType(dict.fromkeys(range(stripe_count(bucket_count)), 0))

    def held(self) -> Mapping[int, int]:
        return self._held

    def holder_of(self, stripe: int) -> str | None:
        return None

    def fenced(self, stripe: int, epoch: int) -> None:
        """Nobody fences who is alone; if it happens, asking again finds the same."""

    def look(self) -> None:
        """There is nothing to see."""
