"""What a verb decides: an entry before it has a place, a balance and a hash."""

from __future__ import annotations

from typing import NamedTuple

from services.ledger.domain.entry import Counterpart, EntryKind, Posting, ReceiptRef, Unit


class Draft(NamedTuple):
    """The decided part of an entry."""

    kind: EntryKind
    points: int
    postings: tuple[Posting, ...]
    original: int | None = None
    hold_until: int | None = None
    receipt: ReceiptRef | None = None
    store: str | None = None
    terminal: str | None = None
    unit: Unit = Unit.POINTS
    counterpart: Counterpart | None = None
    reason: str | None = None
    proposed_by: str | None = None
    approved_by: str | None = None
