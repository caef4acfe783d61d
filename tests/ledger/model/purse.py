"""One wallet as a child would keep it: every single point is a coin that lies somewhere.

Each verb answers with the reason of a refusal, or with nothing when it was done. `seq` is the number that the ledger
gave the entry; whoever keeps the history fills `acted` in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from tests.ledger.model.coins import Award, Coin, Hold, Line, Lot, Number, Rules, Spent
from tests.ledger.model.parcel import Packed, Parcel

POINTS = "POINTS"
NO_RULES = Rules()

Key = tuple[str, str, str]
"""Issuer, unit and campaign: what tells the lines of one award apart."""
Parts = Mapping[Number, int]
"""Points by lot."""


@dataclass
class Purse:
    """Coins, and what the verbs have to remember of them."""

    bucket: int
    grace: timedelta
    oldest_first: bool = False
    rules: dict[str, Rules] = field(default_factory=dict)
    coins: list[Coin] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)
    awards: dict[int, Award] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    spent: dict[int, Spent] = field(default_factory=dict)
    acted: dict[int, str] = field(default_factory=dict)
    active_on: date | None = None
    merged: bool = False
    flows: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Points that came or went, by flow, unit and issuer, as E23 has them. Purses of one town count together."""

    # Coming and going.

    def award(self, seq: int, partner: str, lines: Iterable[Line], earned_at: int, now: int, today: date) -> str:
        self.wake_up(today)
        made = [self._make("awards", (seq, number), line, earned_at, now, today) for number, line in enumerate(lines)]
        self.awards[seq] = Award(partner, made)
        return ""

    def hold(
        self, seq: int, partner: str, unit: str, points: int, receipt: int | None, today: date, ends_at: int
    ) -> str:
        if reason := self._why_not_spend(partner, unit, points, receipt, today):
            return reason
        coins = self.in_spending_order(unit, today)[:points]
        for coin in coins:
            coin.place = "held"
        self.holds[seq] = Hold(partner, coins, ends_at)
        return ""

    def redeem(self, seq: int, partner: str, unit: str, points: int, receipt: int | None, today: date) -> str:
        if reason := self._why_not_spend(partner, unit, points, receipt, today):
            return reason
        self._spend(seq, partner, self.in_spending_order(unit, today)[:points])
        self.wake_up(today)
        return ""

    def capture(self, seq: int, hold: int, partner: str, points: int | None, keep: bool, today: date, at: int) -> str:
        """Spends from the front; what is not captured goes back, unless it is to stay."""
        found = self.holds.get(hold)
        if found is None or (reason := self._why_closed(found, partner, at)):
            return "HOLD_NOT_FOUND" if found is None else reason
        points = len(found.coins) if points is None else points
        if points > len(found.coins):
            return "CAPTURE_EXCEEDS_HOLD"
        self._spend(seq, partner, found.coins[:points])
        found.captured += points
        found.coins = found.coins[points:]
        if not keep:
            self._give_back(found, len(found.coins), today)
        self.wake_up(today)
        return ""

    def release(self, hold: int, partner: str, points: int | None, today: date, at: int) -> str:
        found = self.holds.get(hold)
        if found is None or (reason := self._why_closed(found, partner, at)):
            return "HOLD_NOT_FOUND" if found is None else reason
        points = len(found.coins) if points is None else points
        if points > len(found.coins):
            return "RELEASE_EXCEEDS_HOLD"
        self._give_back(found, points, today)
        return ""

    def extend(self, hold: int, partner: str, ends_at: int, at: int) -> str:
        found = self.holds.get(hold)
        if found is None or (reason := self._why_closed(found, partner, at)):
            return "HOLD_NOT_FOUND" if found is None else reason
        if ends_at <= found.ends_at:
            return "HOLD_ENDS_LATER"
        found.ends_at = ends_at
        return ""

    def refund(self, redemption: int, partner: str, points: int | None, today: date) -> str:
        found = self.spent.get(redemption)
        if found is None or found.partner != partner:
            mine = found is None and self.acted.get(redemption) == partner
            return "NOT_A_REDEMPTION" if mine else "ENTRY_NOT_FOUND"
        points = len(found.coins) if points is None else points
        if points > len(found.coins) or points == 0:
            return "REFUND_EXCEEDS_REDEMPTION"
        back = [found.coins.pop() for _ in range(points)]
        for lot in {coin.lot: None for coin in back}:
            assert lot not in self.over(today), "something ended is alive again"
            if lot.last_day is not None and not lot.usable(today):
                lot.last_day = max(lot.last_day, today + self.grace)
        self._count("refunds", back)
        self._arrive(back, today)
        return ""

    def reverse(self, award: int, partner: str, lines: Mapping[Key, int], today: date) -> str:
        found = self.awards.get(award)
        if found is None or found.partner != partner:
            mine = found is None and self.acted.get(award) == partner
            return "NOT_AN_AWARD" if mine else "ENTRY_NOT_FOUND"
        own = {(lot.issuer, lot.unit, lot.campaign): lot for lot in found.lots}
        left = {key: lot.awarded - lot.undone for key, lot in own.items()}
        wanted = dict(lines) or {key: points for key, points in left.items() if points}
        if not wanted or any(points > left.get(key, 0) for key, points in wanted.items()):
            return "REVERSAL_EXCEEDS_AWARD"
        missing = dict(wanted)
        for key in wanted:  # every line from its own lot first, and there from what is still pending
            mine_ = [*self.lying("pending", own[key].unit), *self.in_spending_order(own[key].unit, today)]
            taken = [coin for coin in mine_ if coin.lot is own[key]][: missing[key]]
            missing[key] -= self._take("reversals", taken)
        for key in wanted:
            others = self.in_spending_order(own[key].unit, today)
            missing[key] -= self._take("reversals", others[: missing[key]])
        for key, points in wanted.items():
            own[key].undone += points
            self._missed(own[key], missing[key])
        return ""

    # By hand.

    def give(self, seq: int, line: Line, now: int, today: date) -> str:
        self._make("given", (seq, 0), line, now, now, today)
        return ""

    def take(self, issuer: str, unit: str, points: int, today: date) -> str:
        coins = [coin for coin in self.in_spending_order(unit, today) if coin.lot.issuer == issuer][:points]
        if len(coins) < points:
            return "INSUFFICIENT_POINTS"
        self._take("taken", coins)
        return ""

    # To another purse.

    def send(self, seq: int, unit: str, points: int, today: date) -> Parcel | str:
        coins = self.in_spending_order(unit, today)[:points]
        if len(coins) < points:
            return "INSUFFICIENT_POINTS"
        self._put(coins, "sent")
        return Parcel.of(self.bucket, seq, coins)

    def send_all(self, seq: int) -> Parcel:
        """Everything but what is held: by lot, what lies free or pending, and what is owed."""
        packed = []
        for lot in sorted(self.lots, key=lambda lot: lot.number):
            for place in ("free", "pending"):
                coins = [coin for coin in self.lying(place) if coin.lot is lot]
                packed.append(Packed(replace(lot), place, len(coins)))
                self._put(coins, "sent")
            packed.append(Packed(replace(lot), "owed", lot.owed))
            lot.owed = 0
        return Parcel(self.bucket, seq, tuple(one for one in packed if one.points))

    def has_something(self) -> bool:
        """Something that a merge would take along."""
        return any(lot.owed for lot in self.lots) or any(coin.place in ("free", "pending") for coin in self.coins)

    def receive(self, seq: int, parcel: Parcel, today: date) -> None:
        """What lies here repays debts that arrive, as what arrives repays those that were here."""
        arriving = []
        for lot, what in parcel.unpacked(seq):
            if lot.idle_days is not None and lot.last_day is not None and self.active_on is not None:
                lot.last_day = max(lot.last_day, self.active_on + timedelta(days=lot.idle_days))
            self.lots.append(lot)
            coins = [Coin(lot, "pending") for _ in range(lot.awarded - lot.owed)]
            self.coins += coins
            arriving += coins if what == "free" else []
        units = sorted({lot.unit for lot in self.lots})
        for coin in [coin for unit in units for coin in self.in_spending_order(unit, today)] + arriving:
            self._free_or_repay(coin)

    # What the clock does.

    def make_ready(self, award: int, partner: str, today: date) -> str:
        """By an action of the partner instead of by time."""
        found = self.awards.get(award)
        if found is None or found.partner != partner:
            mine = found is None and self.acted.get(award) == partner
            return "NOT_AN_AWARD" if mine else "ENTRY_NOT_FOUND"
        coins = [coin for coin in self.lying("pending") if coin.lot in found.lots]
        if not coins:
            return "NOTHING_PENDING"
        self._arrive(coins, today)
        return ""

    def hold_ended(self, hold: int, today: date, at: int) -> None:
        found = self.holds[hold]
        assert found.coins, "the clock ended a hold that is closed"
        assert found.ends_at <= at, "the clock ended a hold too early"
        self._give_back(found, len(found.coins), today)

    def became_ready(self, parts: Parts, today: date, at: int) -> None:
        for coins in self._parts(parts, "pending"):
            assert all((coin.lot.ready_at or 0) <= at for coin in coins), "the clock made points ready too early"
            self._arrive(coins, today)

    def expired(self, parts: Parts, today: date) -> None:
        for coins in self._parts(parts, "free"):
            assert not any(coin.lot.usable(today) for coin in coins), "the clock ended points too early"
            self._take("expiries", coins)

    def overdue(self, today: date, at: int, unit: str | None = None) -> list[str]:
        """What the clock has still to do; for who wants points of a unit, as far as it brings him some."""
        holds = [f"hold {seq}" for seq, hold in self.holds.items() if hold.coins and hold.ends_at <= at]
        ready = [f"ready {coin.lot.number}" for coin in self.lying("pending", unit) if (coin.lot.ready_at or 0) <= at]
        over = [] if unit else [f"over {lot.number}" for lot in self.over(today)]
        return holds + ready + over

    def over(self, today: date) -> list[Lot]:
        """Lots with free coins past their day."""
        return [lot for lot in self.lots if not lot.usable(today) and any(c.lot is lot for c in self.lying("free"))]

    def wake_up(self, today: date) -> None:
        """An award or a redemption moves the last day of what ends by inactivity, and wakes nothing that ended."""
        assert not any(lot.idle_days is not None for lot in self.over(today)), "something ended is alive again"
        self.active_on = today
        for lot in self.lots:
            if lot.idle_days is not None and lot.last_day is not None:
                lot.last_day = max(lot.last_day, today + timedelta(days=lot.idle_days))

    # Looking.

    def lying(self, place: str, unit: str | None = None) -> list[Coin]:
        return [coin for coin in self.coins if coin.place == place and unit in (None, coin.lot.unit)]

    def in_spending_order(self, unit: str, today: date) -> list[Coin]:
        def order(coin: Coin) -> tuple[date, int, tuple[int, int]]:
            lot = coin.lot
            return (date.min if self.oldest_first else lot.last_day or date.max, lot.earned_at, lot.number)

        return sorted((coin for coin in self.lying("free", unit) if coin.lot.usable(today)), key=order)

    # How.

    def _missed(self, lot: Lot, points: int) -> None:
        """What a reversal did not find any more: only a debt is a point less for anybody.

        In a merged purse it is always a debt: that follows to where the points went.
        """
        what = "owe" if self.merged else self.rules.get(lot.issuer, NO_RULES).after_clawback
        if what == "owe":
            lot.owed += points
        self.flows["reversals" if what == "owe" else what, lot.unit, lot.issuer] += points

    def _make(self, flow: str, number: Number, line: Line, earned_at: int, now: int, today: date) -> Lot:
        waits = line.ready_at is not None and line.ready_at > now
        lot = Lot(
            number,
            line.unit,
            line.issuer,
            earned_at,
            line.last_day,
            line.points,
            ready_at=line.ready_at if waits else None,
            idle_days=line.idle_days,
            campaign=line.campaign,
        )
        coins = [Coin(lot, "pending") for _ in range(line.points)]
        self._count(flow, coins)
        self.lots.append(lot)
        self.coins += coins
        if not waits:
            self._arrive(coins, today)
        return lot

    def _parts(self, parts: Parts, place: str) -> list[list[Coin]]:
        """All the coins of these lots that lie there: the clock leaves none."""
        found = [[coin for coin in self.lying(place) if coin.lot.number == number] for number in parts]
        assert [len(coins) for coins in found] == list(parts.values())
        return found

    def _arrive(self, coins: Iterable[Coin], today: date) -> None:
        """Coins that come back or become ready: past their day they end."""
        for coin in coins:
            if coin.lot.usable(today):
                self._free_or_repay(coin)
            else:
                self._take("expiries", [coin])

    def _free_or_repay(self, coin: Coin) -> None:
        """Before anybody may use it, it repays what is owed for the oldest lot."""
        debts = [lot for lot in self.lots if lot.owed and lot.unit == coin.lot.unit]
        if not debts:
            coin.place = "free"
            return
        oldest = min(debts, key=lambda lot: lot.number)
        oldest.owed -= 1
        self._take("repaid with", [coin])
        self.flows["repaid", oldest.unit, oldest.issuer] += 1

    def _spend(self, seq: int, partner: str, coins: list[Coin]) -> None:
        self._take("captures", coins, place="spent")
        self.spent[seq] = Spent(partner, list(coins))

    def _give_back(self, hold: Hold, points: int, today: date) -> None:
        """From the back, in the order in which they were chosen."""
        kept = len(hold.coins) - points
        back, hold.coins = hold.coins[kept:], hold.coins[:kept]
        hold.released += points
        self._arrive(back, today)

    def _take(self, flow: str, coins: list[Coin], place: str = "gone") -> int:
        self._count(flow, coins)
        self._put(coins, place)
        return len(coins)

    def _put(self, coins: list[Coin], place: str) -> None:
        for coin in coins:
            coin.place = place

    def _count(self, flow: str, coins: list[Coin]) -> None:
        self.flows.update((flow, coin.lot.unit, coin.lot.issuer) for coin in coins)

    def _why_not_spend(self, partner: str, unit: str, points: int, receipt: int | None, today: date) -> str:
        if points > len(self.in_spending_order(unit, today)):
            return "INSUFFICIENT_POINTS"
        return "" if self.rules.get(partner, NO_RULES).allow(points, receipt) else "REDEMPTION_LIMIT"

    def most_redeemable(self, partner: str, unit: str, receipt: int | None, today: date) -> int:
        """The largest amount that the partner could take now: tried one by one."""
        rules = self.rules.get(partner, NO_RULES)
        free = len(self.in_spending_order(unit, today))
        return max((points for points in range(1, free + 1) if rules.allow(points, receipt)), default=0)

    def _why_closed(self, hold: Hold, partner: str, at: int) -> str:
        if hold.partner != partner:
            return "HOLD_NOT_FOUND"
        if hold.state != "captured" and hold.ends_at <= at:
            return "HOLD_EXPIRED"
        return "" if hold.state == "open" else "HOLD_CLOSED"
