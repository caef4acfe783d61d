"""All purses, what is on its way between them, and what the programme and its partners agreed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from tests.ledger.model.coins import Ending, Line, Rules
from tests.ledger.model.parcel import Parcel
from tests.ledger.model.purse import NO_RULES, POINTS, Purse

Name = int
"""A purse by its number in the town."""

DAY = 86_400_000_000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  all instants are UTC
_COMING = ("awards", "refunds", "given", "repaid")
_GOING = ("reversals", "captures", "expiries", "taken", "repaid with")


class Now(NamedTuple):
    """An instant in microseconds, and its day."""

    at: int
    today: date


class Sending(NamedTuple):
    """A parcel that has left one purse for another."""

    sender: Name
    to: Name
    parcel: Parcel
    merging: bool


@dataclass
class Town:
    """`caps`: points that a partner may still award, where it has a cap; `moved`: merged purses, and where to.

    `send_most`, `send_most_a_day`: what a purse may send to another, 0 for no limit. `strict`: nothing is merged into
    a purse that was merged itself.
    """

    ending: Ending
    grace: timedelta
    oldest_first: bool = False
    send_most: int = 0
    send_most_a_day: int = 0
    strict: bool = False
    rules: dict[str, Rules] = field(default_factory=dict)
    caps: dict[str, int] = field(default_factory=dict)
    purses: list[Purse] = field(default_factory=list)
    moved: dict[Name, Name] = field(default_factory=dict)
    on_the_way: dict[tuple[int, int], Sending] = field(default_factory=dict)
    """By bucket and number of the entry that sent it."""
    sent: Counter[tuple[Name, date]] = field(default_factory=Counter)
    flows: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def settle_in(self, bucket: int) -> Purse:
        self.purses.append(Purse(bucket, self.grace, self.oldest_first, self.rules, flows=self.flows))
        return self.purses[-1]

    def award(self, name: Name, seq: int, partner: str, lines: list[Line], earned_at: int, now: Now) -> str:
        """Lines that leave the last day and the waiting to the ledger get what programme and issuer say."""
        whole = [self._whole(line, earned_at, now) for line in lines]
        if any(line.last_day and line.last_day < now.today for line in whole):
            return "ALREADY_PAST_EXPIRY"
        asked: Counter[str] = Counter()
        for line in lines:
            asked[line.issuer] += line.points * (line.unit == POINTS)
        if any(points > self.caps[issuer] for issuer, points in asked.items() if issuer in self.caps):
            return "PARTNER_NET_DEBIT_CAP_EXCEEDED"
        for issuer in asked.keys() & self.caps.keys():
            self.caps[issuer] -= asked[issuer]
        return self.purses[name].award(seq, partner, whole, earned_at, now.at, now.today)

    def give(self, name: Name, seq: int, line: Line, now: Now) -> str:
        whole = self._whole(replace(line, ready_at=now.at), now.at, now)
        if whole.last_day and whole.last_day < now.today:
            return "ALREADY_PAST_EXPIRY"
        return self.purses[name].give(seq, whole, now.at, now.today)

    def _whole(self, line: Line, earned_at: int, now: Now) -> Line:
        waits = self.rules.get(line.issuer, NO_RULES).pending_days
        if line.ready_at is None and waits:
            line = replace(line, ready_at=earned_at + waits * DAY)
        if line.last_day is not None:
            return line
        idle_days = self.ending.idle_days
        begins = now.today if idle_days is not None else (EPOCH + timedelta(microseconds=earned_at)).date()
        return replace(line, last_day=self.ending.last_day(begins), idle_days=idle_days)

    def send(self, name: Name, to: Name, seq: int, unit: str, points: int, today: date) -> str:
        """The coins leave; they arrive when somebody delivers the parcel."""
        if name == to:
            return "TRANSFER_TO_ITSELF"
        limit = self.send_most or points
        left = self.send_most_a_day - self.sent[name, today] if self.send_most_a_day else points
        if points > min(limit, left):
            return "TRANSFER_LIMIT"
        parcel = self.purses[name].send(seq, unit, points, today)
        if isinstance(parcel, str):
            return parcel
        self.sent[name, today] += points
        self.on_the_way[parcel.bucket, parcel.out] = Sending(name, to, parcel, merging=False)
        return ""

    def merge(self, name: Name, to: Name, seq: int, *, asked: bool = True) -> str:
        """Everything leaves, and whatever comes later follows it, not asked for and wherever that purse went itself."""
        if name == to:
            return "TRANSFER_TO_ITSELF"
        if (asked and self.strict and to in self.moved) or self.moved.get(name, to) != to:
            return "WALLET_MERGED"
        if name in self.moved and not self.purses[name].has_something():
            return "WALLET_MERGED"
        self.moved[name], self.purses[name].merged = to, True
        parcel = self.purses[name].send_all(seq)
        self.on_the_way[parcel.bucket, parcel.out] = Sending(name, to, parcel, merging=True)
        return ""

    def deliver(self, bucket: int, out: int, seq: int, today: date) -> Name:
        """Of two purses merged into each other, the one that got something last is where both are."""
        sending = self.on_the_way.pop((bucket, out))
        self.purses[sending.to].receive(seq, sending.parcel, today)
        if sending.merging and self.moved.get(sending.to) == sending.sender:
            del self.moved[sending.to]
            self.purses[sending.to].merged = False
        return sending.to

    def would_go_round(self, name: Name, to: Name) -> bool:
        """Whether a merge would close a circle of three or more: no operator means that."""
        hops = 0
        while to in self.moved and hops < len(self.purses):
            to, hops = self.moved[to], hops + 1
        return to == name and hops > 1

    def survivor(self, name: Name, travelling: Collection[Name]) -> Name | None:
        """Where a purse's points are by now; nobody knows while they travel."""
        hops = 0
        while name in self.moved and hops < len(self.purses):
            if name in travelling:
                return None
            name, hops = self.moved[name], hops + 1
        return name if hops < len(self.purses) else None

    def behind(self) -> list[Name]:
        """Merged purses in which something lies that has to follow."""
        return [name for name in self.moved if self.purses[name].has_something()]

    def check_conservation(self) -> None:
        """E23: what came and did not go is what lies in purses or is on its way, by unit and issuer."""
        standing: Counter[tuple[str, str]] = Counter()
        for purse in self.purses:
            for coin in purse.coins:
                standing[coin.lot.unit, coin.lot.issuer] += coin.place in ("pending", "free", "held")
            for lot in purse.lots:
                standing[lot.unit, lot.issuer] -= lot.owed
        for sending in self.on_the_way.values():
            for lot, what, points in sending.parcel.packed:
                standing[lot.unit, lot.issuer] += -points if what == "owed" else points
        sums: Counter[tuple[str, str]] = Counter()
        for (flow, unit, issuer), points in self.flows.items():
            sums[unit, issuer] += points * ((flow in _COMING) - (flow in _GOING))
        assert _there(sums) == _there(standing)


def _there(counter: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {key: points for key, points in counter.items() if points}
