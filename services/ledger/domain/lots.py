"""Lots, holds and redemptions: what a wallet's points are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from services.ledger.domain.entry import (
    AccountKind,
    LotId,
    LotTerms,
    Origin,
    Posting,
    Unit,
)
from services.ledger.domain.wish import LineKey


class HoldState(IntEnum):
    """Where a hold stands. The numbers are those of the contract and of the database."""

    OPEN = 1
    CAPTURED = 2
    RELEASED = 3


@dataclass(slots=True)
class Lot:
    """A tranche of points with one issuer, one earning time and one expiry.

    `undone` counts what reversals of its award have claimed so far, recovered from this lot or elsewhere; `owed` what
    of that the wallet still owes the issuer.
    """

    id: LotId
    issuer: str
    earned_at: int
    expires_on: date | None
    awarded: int
    available: int = 0
    pending: int = 0
    held: int = 0
    undone: int = 0
    unit: Unit = Unit.POINTS
    owed: int = 0
    available_from: int | None = None
    idle_days: int | None = None
    campaign: str = ""
    origin: Origin | None = None

    @property
    def key(self) -> LineKey:
        """The line of the award that made it."""
        return LineKey(self.issuer, self.unit, self.campaign)

    def sent_from(self, bucket: int) -> LotTerms:
        """What travels along when its points go to another wallet."""
        origin = self.origin or Origin(bucket, *self.id)
        return LotTerms(self.earned_at, self.available_from, self.idle_days, self.campaign, origin)


def lot_made_by(posting: Posting, occurred_at: int) -> Lot:
    """The lot that a posting makes, before its points are in it."""
    terms = posting.terms
    return Lot(  # by position: names double what it costs
        posting.lot,
        posting.issuer,
        occurred_at if terms.earned_at is None else terms.earned_at,
        posting.expires_on,
        posting.points,
        0,
        0,
        0,
        0,
        posting.unit,
        0,
        terms.available_from,
        terms.idle_days,
        terms.campaign,
        terms.origin,
    )


@dataclass(slots=True)
class Hold:
    """Reserved points. `pins` are the lots in the order they were chosen; captures take from their front, releases
    from their back."""

    seq: int
    partner: str
    points: int
    expires_at: int
    pins: tuple[tuple[LotId, int], ...]
    state: HoldState = HoldState.OPEN
    captured: int = 0
    released: int = 0

    @property
    def left(self) -> int:
        """Points that are still reserved."""
        return self.points - self.captured - self.released

    @property
    def pins_left(self) -> list[tuple[LotId, int]]:
        """The pins that are still reserved, in their order."""
        return within(self.pins, self.captured, self.left)

    def due(self, at: int) -> bool:
        return self.state is HoldState.OPEN and self.expires_at <= at


@dataclass(slots=True)
class Redemption:
    """Spent points. `takes` are the lots in the order they were consumed."""

    seq: int
    partner: str
    points: int
    takes: tuple[tuple[LotId, int], ...]
    refunded: int = 0


def within(parts: Iterable[tuple[LotId, int]], skip: int, points: int) -> list[tuple[LotId, int]]:
    """The `points` that lie behind the first `skip` points of these parts, or as many as there are."""
    found = []
    for lot, part in parts:
        passed = min(skip, part)
        skip -= passed
        taken = min(points, part - passed)
        points -= taken
        if taken:
            found.append((lot, taken))
    return found


def portions(lots: Iterable[tuple[Lot, int]], points: int) -> Iterator[tuple[Lot, int]]:
    """Take `points` from the lots in order, at most what each offers."""
    for lot, offered in lots:
        if not points:
            return
        taken = min(points, offered)
        if taken:
            yield lot, taken
        points -= taken


def takes_from(postings: Iterable[Posting], kind: AccountKind) -> tuple[tuple[LotId, int], ...]:
    """The lots and points that these postings move into accounts of that kind, in order."""
    return tuple((posting.lot, posting.points) for posting in postings if posting.credit.kind is kind)
