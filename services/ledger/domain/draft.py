"""What a verb decides: an entry before it has a place, a balance and a hash."""

from __future__ import annotations

from dataclasses import dataclass

from services.ledger.domain.entry import EntryKind, Posting, ReceiptRef


@dataclass(frozen=True, slots=True)
class Draft:
    """The decided part of an entry."""

    kind: EntryKind
    points: int
    postings: tuple[Posting, ...]
    original: int | None = None
    hold_until: int | None = None
    receipt: ReceiptRef | None = None
    store: str | None = None
    terminal: str | None = None
