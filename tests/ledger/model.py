"""The ledger as a child would keep it: every single point is a coin that lies somewhere.

Slow and obvious on purpose. It shares no code with the ledger; what both must agree on is written out in `Seen`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass
class Lot:
    """Coins with one issuer, one earning time and one last day of use."""

    number: tuple[int, int]
    issuer: str
    earned_at: int
    last_day: date | None
    awarded: int
    undone: int = 0

    def usable(self, today: date) -> bool:
        return self.last_day is None or today <= self.last_day


@dataclass
class Coin:
    """One point: it is `free`, held by a hold, spent by a redemption, or gone."""

    lot: Lot
    place: str = "free"


@dataclass
class Hold:
    """Coins put aside for a sale, in the order in which they were chosen."""

    partner: str
    coins: list[Coin]
    ends_at: int
    state: str = "open"


@dataclass
class Spent:
    """Coins that a partner took and has not given back, in the order in which it took them."""

    partner: str
    coins: list[Coin]


@dataclass
class Award:
    """Which partner gave it, and the lot of each issuer."""

    partner: str
    lots: dict[str, Lot]


@dataclass(frozen=True)
class Seen:
    """What the model and the ledger must both say about a wallet."""

    free: int
    held: int
    lots: dict[tuple[int, int], tuple[str, date | None, int, int, int]]
    """By lot: issuer, last day, free coins, held coins, points undone."""
    holds: dict[int, str]
    left_to_refund: dict[int, int]


@dataclass
class Purse:
    """One wallet. Each verb answers with the reason of a refusal, or with nothing when it was done."""

    grace: timedelta
    coins: list[Coin] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)
    awards: dict[int, Award] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    spent: dict[int, Spent] = field(default_factory=dict)
    acted: dict[int, str] = field(default_factory=dict)
    """Whose each entry is; whoever keeps the history writes it down."""

    def award(self, seq: int, partner: str, lines: list[tuple[str, int, date | None]], at: int) -> str:
        made = {}
        for number, (issuer, points, last_day) in enumerate(lines):
            lot = Lot((seq, number), issuer, at, last_day, points)
            made[issuer] = lot
            self.lots.append(lot)
            self.coins += [Coin(lot) for _ in range(points)]
        self.awards[seq] = Award(partner, made)
        return ""

    def in_spending_order(self, today: date) -> list[Coin]:
        usable = [coin for coin in self.coins if coin.place == "free" and coin.lot.usable(today)]
        return sorted(usable, key=lambda coin: (coin.lot.last_day or date.max, coin.lot.earned_at, coin.lot.number))

    def hold(self, seq: int, partner: str, points: int, today: date, ends_at: int) -> str:
        coins = self.in_spending_order(today)[:points]
        if len(coins) < points:
            return "INSUFFICIENT_POINTS"
        for coin in coins:
            coin.place = "held"
        self.holds[seq] = Hold(partner, coins, ends_at)
        return ""

    def redeem(self, seq: int, partner: str, points: int, today: date) -> str:
        coins = self.in_spending_order(today)[:points]
        if len(coins) < points:
            return "INSUFFICIENT_POINTS"
        for coin in coins:
            coin.place = "spent"
        self.spent[seq] = Spent(partner, coins)
        return ""

    def capture(self, seq: int, hold: int, partner: str, points: int | None, today: date, at: int) -> str:
        found = self.holds.get(hold)
        if reason := self._why_not(found, partner, at):
            return reason
        assert found is not None
        points = len(found.coins) if points is None else points
        if points > len(found.coins):
            return "CAPTURE_EXCEEDS_HOLD"
        for coin in found.coins[:points]:
            coin.place = "spent"
        self._put_back(found.coins[points:], today)
        self.spent[seq] = Spent(partner, found.coins[:points])
        found.state = "captured"
        return ""

    def release(self, hold: int, partner: str, today: date, at: int) -> str:
        found = self.holds.get(hold)
        if reason := self._why_not(found, partner, at):
            return reason
        assert found is not None
        self._put_back(found.coins, today)
        found.state = "released"
        return ""

    def refund(self, redemption: int, partner: str, points: int | None, today: date) -> str:
        found = self.spent.get(redemption)
        if found is None:
            mine = self.acted.get(redemption) == partner
            return "NOT_A_REDEMPTION" if mine else "ENTRY_NOT_FOUND"
        if found.partner != partner:
            return "ENTRY_NOT_FOUND"
        points = len(found.coins) if points is None else points
        if points > len(found.coins) or points == 0:
            return "REFUND_EXCEEDS_REDEMPTION"
        for _ in range(points):
            coin = found.coins.pop()
            coin.place = "free"
            if not coin.lot.usable(today):
                assert coin.lot.last_day is not None
                coin.lot.last_day = max(coin.lot.last_day, today + self.grace)
        return ""

    def reverse(self, award: int, partner: str, lines: dict[str, int], today: date) -> str:
        found = self.awards.get(award)
        if found is None:
            return "NOT_AN_AWARD" if self.acted.get(award) == partner else "ENTRY_NOT_FOUND"
        if found.partner != partner:
            return "ENTRY_NOT_FOUND"
        left = {issuer: lot.awarded - lot.undone for issuer, lot in found.lots.items()}
        wanted = lines or {issuer: points for issuer, points in left.items() if points}
        if not wanted or any(points > left.get(issuer, 0) for issuer, points in wanted.items()):
            return "REVERSAL_EXCEEDS_AWARD"
        missing = dict(wanted)
        for issuer in wanted:
            own = [coin for coin in self.in_spending_order(today) if coin.lot is found.lots[issuer]]
            missing[issuer] -= self._take_away(own[: missing[issuer]])
        for issuer in wanted:
            self._take_away(self.in_spending_order(today)[: missing[issuer]])
        for issuer, points in wanted.items():
            found.lots[issuer].undone += points
        return ""

    def tend(self, today: date, at: int) -> None:
        """What the clock does: holds whose time is up, then points past their day."""
        for hold in self.holds.values():
            if hold.state == "open" and hold.ends_at <= at:
                self._put_back(hold.coins, today)
                hold.state = "released"
        self._take_away([coin for coin in self.coins if coin.place == "free" and not coin.lot.usable(today)])

    def seen(self) -> Seen:
        def lying(lot: Lot, place: str) -> int:
            return sum(coin.lot is lot and coin.place == place for coin in self.coins)

        return Seen(
            free=sum(coin.place == "free" for coin in self.coins),
            held=sum(coin.place == "held" for coin in self.coins),
            lots={
                lot.number: (lot.issuer, lot.last_day, lying(lot, "free"), lying(lot, "held"), lot.undone)
                for lot in self.lots
            },
            holds={seq: hold.state for seq, hold in self.holds.items()},
            left_to_refund={seq: len(spent.coins) for seq, spent in self.spent.items()},
        )

    def _why_not(self, hold: Hold | None, partner: str, at: int) -> str:
        if hold is None or hold.partner != partner:
            return "HOLD_NOT_FOUND"
        if hold.state == "captured":
            return "HOLD_CLOSED"
        if hold.ends_at <= at:
            return "HOLD_EXPIRED"
        return "HOLD_CLOSED" if hold.state == "released" else ""

    def _put_back(self, coins: list[Coin], today: date) -> None:
        for coin in coins:
            coin.place = "free" if coin.lot.usable(today) else "gone"

    def _take_away(self, coins: list[Coin]) -> int:
        for coin in coins:
            coin.place = "gone"
        return len(coins)
