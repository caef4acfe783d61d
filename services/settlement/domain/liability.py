"""The liability roll-forward: points outstanding by issuer and vintage, and what moved them, from the journal alone.

A vintage is the month in which an issuer's points were earned (UTC); points that were transferred keep theirs. Opening
+ awarded - reversed - redeemed + refunded - expired + adjusted + moved = closing. `moved` is what transfers, merges and
repaid debts take from one vintage and give to another; over all vintages it is what is in transit.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from services.settlement.domain.journal import POINTS, FeedEntry

_WALLET = frozenset({"AVAILABLE", "PENDING", "HELD", "OWED"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Vintage(NamedTuple):
    """One issuer's lots of one month: 202603."""

    issuer: str
    month: int


class Movement(Enum):
    """Why points came or went."""

    AWARDED = "AWARDED"
    REVERSED = "REVERSED"
    REDEEMED = "REDEEMED"
    REFUNDED = "REFUNDED"
    EXPIRED = "EXPIRED"
    ADJUSTED = "ADJUSTED"
    MOVED = "MOVED"


_OTHER_SIDE = {
    "ISSUED": (Movement.AWARDED, Movement.REVERSED),
    "REDEEMED": (Movement.REFUNDED, Movement.REDEEMED),
    "EXPIRED": (Movement.EXPIRED, Movement.EXPIRED),
    "ADJUSTED": (Movement.ADJUSTED, Movement.ADJUSTED),
    "IN_TRANSIT": (Movement.MOVED, Movement.MOVED),
}


class RollForward(NamedTuple):
    """What one vintage did in a window. All but the balances are signed as they change the balance."""

    opening: int
    moves: Mapping[Movement, int]

    @property
    def closing(self) -> int:
        return self.opening + sum(self.moves.values())


class Liability:
    """Reads entries bucket by bucket, in their order; of a bucket it remembers the vintage of each lot."""

    def __init__(self) -> None:
        self._opening: dict[Vintage, int] = defaultdict(int)
        self._moves: dict[tuple[Vintage, Movement], int] = defaultdict(int)

    def read(self, entries: Iterable[FeedEntry], begins_after: int) -> None:
        """All entries of one bucket up to the window's end; those up to `begins_after` make its opening."""
        lots: dict[str, Vintage] = {}
        for entry in entries:
            form = json.loads(entry.canonical)
            for posting in form["postings"]:
                if posting["unit"] == POINTS:
                    self._take(form, posting, lots, opening=entry.seq <= begins_after)

    def result(self) -> dict[Vintage, RollForward]:
        """By issuer and month; vintages that are and were empty are left out."""
        names = sorted({*self._opening, *(vintage for vintage, _ in self._moves)})
        found = {
            vintage: RollForward(
                self._opening.get(vintage, 0),
                {one: self._moves[vintage, one] for one in Movement if self._moves.get((vintage, one))},
            )
            for vintage in names
        }
        return {vintage: one for vintage, one in found.items() if one.opening or one.moves}

    def _take(
        self, form: Mapping[str, Any], posting: Mapping[str, Any], lots: dict[str, Vintage], *, opening: bool
    ) -> None:
        debit, credit = posting["debit"].partition(":")[0], posting["credit"].partition(":")[0]
        points = posting["points"]
        sides = []
        if credit in _WALLET:
            sides.append((posting["credit"], debit, points, 0))
        if debit in _WALLET:
            sides.append((posting["debit"], credit, -points, 1))
        if len(sides) == 2 and "OWED" not in (debit, credit):
            return  # from one drawer of the wallet into another
        for account, other, signed, way in sides:
            vintage = _of(form, posting, account, lots)
            movement = _OTHER_SIDE.get(other, (Movement.MOVED, Movement.MOVED))[way]
            if opening:
                self._opening[vintage] += signed
            else:
                self._moves[vintage, movement] += signed


def _of(form: Mapping[str, Any], posting: Mapping[str, Any], account: str, lots: dict[str, Vintage]) -> Vintage:
    """The vintage of the points on a wallet's side: that of their lot; of a debt, that of the award that is owed."""
    if account.startswith("OWED"):
        owed = posting.get("for_lot") or posting.get("lot", "")
        return lots.get(owed) or _vintage(form, posting, account)
    lot = _lot(posting)
    if lot not in lots:
        lots[lot] = _vintage(form, posting, account)
    return lots[lot]


def _lot(posting: Mapping[str, Any]) -> str:
    return str(posting.get("lot", ""))


def _vintage(form: Mapping[str, Any], posting: Mapping[str, Any], account: str) -> Vintage:
    """Of a lot that is new here: its own earning time where the posting tells it, else the entry's."""
    issuer = account.partition(":")[2] or posting.get("issuer") or posting["debit"].partition(":")[2]
    at = _EPOCH + timedelta(microseconds=posting.get("earned_at") or form["occurred_at"])
    return Vintage(issuer, at.year * 100 + at.month)
