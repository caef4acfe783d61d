"""A recorded purchase and its refunds: what was rated, who pays for it, and where it stands.

A purchase and a refund are named after their request, so that a repeat finds what the first call left behind, here and,
under the same id, in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from services.catalogue.domain.receipt import Receipt
from services.catalogue.domain.returns import Kept


class Standing(IntEnum):
    """How far it has come."""

    RATED = 1
    """Kept here; the ledger may or may not know it yet."""
    POSTED = 2
    """The ledger has it, or there was nothing for the ledger to do."""


class Entry(NamedTuple):
    """A place in the ledger's journal."""

    bucket: int
    seq: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """One receipt that was rated. `parts` are the points by payer, as awarded."""

    purchase_id: UUID
    partner: str
    request_id: UUID
    request_hash: bytes
    wallet_id: UUID
    segments: tuple[str, ...]
    receipt: Receipt
    created_at: datetime
    rules_version: int
    points: int
    parts: Mapping[str, int]
    standing: Standing
    entry: Entry | None = None
    clawed_back: int = 0

    @property
    def name(self) -> str:
        """Its resource name."""
        return purchase_name(self.partner, self.purchase_id)

    def posted(self, entry: Entry) -> Purchase:
        """The same purchase once the ledger has it."""
        return replace(self, standing=Standing.POSTED, entry=entry)

    def kept(self, refunds: Sequence[Refund]) -> Kept:
        """What is left of it after its refunds."""
        amounts = {line.line_no: line.amount for line in self.receipt.lines}
        parts = dict(self.parts)
        for refund in refunds:
            for line_no, amount in refund.amounts.items():
                amounts[line_no] -= amount
            for payer, points in refund.parts.items():
                parts[payer] -= points
        lines = tuple(replace(line, amount=amounts[line.line_no]) for line in self.receipt.lines)
        return Kept(lines, parts, self.receipt.store, frozenset(self.segments))


@dataclass(frozen=True, slots=True)
class Refund:
    """One return of goods: the amounts that came back, by line, and the points to take back, by payer."""

    refund_id: UUID
    partner: str
    request_id: UUID
    request_hash: bytes
    purchase_id: UUID
    occurred_at: datetime
    created_at: datetime
    amounts: Mapping[int, int]
    parts: Mapping[str, int]
    points: int
    remaining: int
    standing: Standing
    entry: Entry | None = None
    recovered: int = 0
    written_off: int = 0

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"{purchase_name(self.partner, self.purchase_id)}/refunds/{self.refund_id}"


def purchase_name(partner: str, purchase_id: UUID) -> str:
    """The resource name of a purchase."""
    return f"partners/{partner}/purchases/{purchase_id}"
