"""Postings: which points of which lot went from one account to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.ledger.domain.entry.accounts import Account
from services.ledger.domain.entry.balance import Unit
from services.ledger.domain.points import MOST, positive


class LotId(NamedTuple):
    """The entry line that made the lot, in the wallet's bucket."""

    seq: int
    line: int

    def __str__(self) -> str:
        return f"{self.seq}.{self.line}"


class Origin(NamedTuple):
    """The award line that a moved lot first came from, in whatever bucket."""

    bucket: int
    seq: int
    line: int

    def __str__(self) -> str:
        return f"{self.bucket}-{self.seq}.{self.line}"


class LotTerms(NamedTuple):
    """What a posting says of a lot that it makes, or sends to another wallet.

    `earned_at` and `available_from` in microseconds; `earned_at` None: when the entry occurred. `idle_days`: the lot
    ends so many days after the wallet's last activity.
    """

    earned_at: int | None = None
    available_from: int | None = None
    idle_days: int | None = None
    campaign: str = ""
    origin: Origin | None = None


PLAIN = LotTerms()


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that triples the price of making one
class Posting:
    """Points of one lot from one account to another. `expires_on` is the lot's last day of use afterwards.

    `for_lot` is the award lot whose reversal or debt the posting settles, when that is not `lot` itself.
    """

    debit: Account
    credit: Account
    points: int
    lot: LotId
    issuer: str
    expires_on: date | None
    unit: Unit = Unit.POINTS
    for_lot: LotId | None = None
    terms: LotTerms = PLAIN

    def __post_init__(self) -> None:
        if not 0 < self.points <= MOST:
            positive(self.points)
        if self.debit == self.credit:
            raise ValueError(f"a posting from {self.debit} to itself goes nowhere")
