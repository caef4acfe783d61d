"""What the model and a ledger must both say about a wallet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from tests.ledger.model.coins import Coin, Lot, Number
from tests.ledger.model.purse import Purse


class SeenLot(NamedTuple):
    """A lot, and the coins of it that lie here."""

    unit: str
    issuer: str
    earned_at: int
    last_day: date | None
    awarded: int
    free: int
    pending: int
    held: int
    undone: int
    owed: int
    campaign: str
    origin: tuple[int, int, int] | None


class SeenHold(NamedTuple):
    """A hold, and how much of it is still put aside."""

    state: str
    left: int
    captured: int
    released: int
    ends_at: int


@dataclass(frozen=True)
class Seen:
    """`balances` by unit: available, pending, held, debt; a unit without any has none."""

    balances: dict[str, tuple[int, int, int, int]]
    lots: dict[Number, SeenLot]
    holds: dict[int, SeenHold]
    left_to_refund: dict[int, int]

    def unlike(self, other: Seen) -> str:
        """Where two differ, in lines: what stands here, then there."""
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in vars(self)]
        return "".join(
            f"\n{name}[{key}]:\n  {here.get(key)}\n  {there.get(key)}"
            for name, here, there in pairs
            for key in here.keys() | there.keys()
            if here.get(key) != there.get(key)
        )


def seen(purse: Purse) -> Seen:
    """A purse, counted coin by coin."""

    def lying(lot: Lot) -> list[Coin]:
        return [coin for coin in purse.coins if coin.lot is lot]

    def count(coins: list[Coin], place: str) -> int:
        return sum(coin.place == place for coin in coins)

    lots = {}
    for lot in purse.lots:
        coins = lying(lot)
        free, pending, held = (count(coins, place) for place in ("free", "pending", "held"))
        kept = (lot.undone, lot.owed, lot.campaign, lot.origin)
        lots[lot.number] = SeenLot(
            lot.unit, lot.issuer, lot.earned_at, lot.last_day, lot.awarded, free, pending, held, *kept
        )
    sums = {
        unit: (
            sum(lot.free for lot in lots.values() if lot.unit == unit),
            sum(lot.pending for lot in lots.values() if lot.unit == unit),
            sum(lot.held for lot in lots.values() if lot.unit == unit),
            sum(lot.owed for lot in lots.values() if lot.unit == unit),
        )
        for unit in {lot.unit for lot in lots.values()}
    }
    return Seen(
        balances={unit: balance for unit, balance in sums.items() if any(balance)},
        lots=lots,
        holds={
            seq: SeenHold(hold.state, len(hold.coins), hold.captured, hold.released, hold.ends_at)
            for seq, hold in purse.holds.items()
        },
        left_to_refund={seq: len(spent.coins) for seq, spent in purse.spent.items()},
    )
