"""What an entry refers to: its place, a sale's receipt, the other wallet."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID


class Place(NamedTuple):
    """Where an entry stands in the journal."""

    bucket: int
    seq: int

    def __str__(self) -> str:
        return f"{self.bucket}-{self.seq}"


class ReceiptRef(NamedTuple):
    """A sale's receipt. With the partner it counts once in the whole programme."""

    store: str
    terminal: str
    business_date: date
    receipt_no: str


class Counterpart(NamedTuple):
    """The other wallet of a transfer or merge. On the leg that arrives, `seq` is that of the leg that left."""

    bucket: int
    wallet: UUID
    seq: int | None = None
