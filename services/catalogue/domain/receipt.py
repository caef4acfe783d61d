"""A final receipt: what was sold, where and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from services.catalogue.domain.refusals import PurchaseInvalid

MOST_MINOR = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `amount` is what was paid for it, in minor units."""

    line_no: int
    product: str
    category: str
    amount: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The four parts that name it count once in the programme; the lines are what it earns by."""

    store: str
    terminal: str
    business_date: date
    receipt_no: str
    occurred_at: datetime
    lines: tuple[Line, ...]

    def refused(self) -> PurchaseInvalid | None:
        """Why this cannot be a receipt, if it cannot."""
        if len({line.line_no for line in self.lines}) != len(self.lines):
            return PurchaseInvalid(field="receipt.lines", problem="each line number stands once on a receipt")
        if any(line.amount < 0 for line in self.lines):
            return PurchaseInvalid(field="receipt.lines", problem="an amount is 0 or more; returns are refunds")
        if sum(line.amount for line in self.lines) > MOST_MINOR:
            return PurchaseInvalid(field="receipt.lines", problem="the amounts are larger than any receipt's")
        if any("\0" in text for text in self._texts()):
            return PurchaseInvalid(field="receipt", problem="a text holds the character U+0000")
        return None

    def _texts(self) -> Iterator[str]:
        yield from (self.store, self.terminal, self.receipt_no)
        for line in self.lines:
            yield line.product
            yield line.category
