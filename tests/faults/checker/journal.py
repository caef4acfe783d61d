"""The journal, parsed and replayed with counters alone: what every wallet, hold, award and redemption held when."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.faults.checker.moves import MAIN, SIDE
from tests.faults.checker.written import Written
from tests.faults.record import Balance, Entry, Place

Subject = tuple[str, ...]
"""What can run out: ("available", wallet, unit), ("hold", place), ("award", place, issuer, unit) ..."""

_INSIDE = ("AVAILABLE", "PENDING", "HELD")
_DEBT = "OWED"


@dataclass
class Timeline:
    """How an amount changed with the seqs of its bucket; it is 0 before the first."""

    seqs: list[int] = field(default_factory=lambda: [0])
    amounts: list[int] = field(default_factory=lambda: [0])

    def add(self, seq: int, amount: int) -> None:
        self.seqs.append(seq)
        self.amounts.append(amount)

    def between(self, first: int, last: float) -> list[int]:
        """Every amount that there was from right after `first` to right after `last`."""
        return self.amounts[bisect_right(self.seqs, first) - 1 : bisect_right(self.seqs, last)]


@dataclass
class Replayed:
    """What the replay found out."""

    entries: dict[Place, Written] = field(default_factory=dict)
    by_request: defaultdict[str, list[Written]] = field(default_factory=lambda: defaultdict(list))
    timelines: defaultdict[Subject, Timeline] = field(default_factory=lambda: defaultdict(Timeline))
    balances: defaultdict[str, list[tuple[int, Balance]]] = field(default_factory=lambda: defaultdict(list))
    """Of each wallet in points: seq and balance after it."""
    buckets: dict[str, int] = field(default_factory=dict)
    hold_until: dict[str, int] = field(default_factory=dict)
    """By place of the hold, with its extensions."""
    pending_until: dict[tuple[str, str], int] = field(default_factory=dict)
    """By wallet and lot."""
    merged: set[str | None] = field(default_factory=set)
    """Wallets that went into another."""
    violations: list[str] = field(default_factory=list)
    _amounts: Counter[Subject] = field(default_factory=Counter)

    def took(self, entry: Written) -> None:
        """Take one entry in; its bucket's earlier ones were taken before."""
        if self.buckets.setdefault(entry.wallet, entry.place.bucket) != entry.place.bucket:
            self.violations.append(f"wrong wallet: {entry.place} is for a wallet of another bucket")
        self.entries[entry.place] = entry
        if "hold_until" in entry.body:
            self.hold_until[str(entry.original or entry.place)] = entry.body["hold_until"]
        if entry.kind == "MERGE_OUT":
            self.merged.add(entry.wallet)
        self.by_request[entry.body["request_id"]].append(entry)
        for subject in dict.fromkeys(self._moved(entry)):
            self.timelines[subject].add(entry.place.seq, self._amounts[subject])
            if self._amounts[subject] < 0:
                self.violations.append(f"overspent: {entry.place} leaves {self._amounts[subject]} of {subject}")
        for unit, said in entry.balances():
            held = Balance(*(self._amounts[_account(entry.wallet, unit, name)] for name in (*_INSIDE, _DEBT)))
            if said != held:
                self.violations.append(f"wrong balance: {entry.place} says {said}, the replay gives {held}")
            if held.debt and held.available:
                self.violations.append(f"wrong balance: {entry.place} leaves a debt beside points that could repay it")
            if unit == "POINTS":
                self.balances[entry.wallet].append((entry.place.seq, said))

    def _moved(self, entry: Written) -> Iterator[Subject]:
        """Every subject that the entry moved, once it is moved."""
        main, counting = 0, MAIN.get(entry.kind, frozenset())
        for posting in entry.body["postings"]:
            debit, credit = (str(posting[side]).partition(":")[0] for side in ("debit", "credit"))
            points, unit, counts = int(posting["points"]), posting["unit"], (debit, credit) in counting
            if points <= 0 or not (counts or (debit, credit) in SIDE.get(entry.kind, frozenset())):
                self.violations.append(f"forged: {entry.place} moves {points} from {debit} to {credit}")
            main += points * (counts and unit == entry.unit)
            for account, change in ((debit, -points), (credit, points)):
                if account in _INSIDE:
                    yield from self._changed(change, _account(entry.wallet, unit, account))
                    yield from self._changed(change, ("lot", entry.wallet, posting["lot"], account))
                if account == "AVAILABLE":
                    yield from self._changed(change, ("own", entry.wallet, unit, posting["issuer"]))
                if account == "PENDING":
                    self.pending_until.setdefault((entry.wallet, posting["lot"]), posting.get("available_from", 0))
                    award = Place(entry.place.bucket, int(posting["lot"].partition(".")[0]))
                    yield from self._changed(change, ("clearing", str(award)))
                if account == _DEBT:
                    yield from self._changed(-change, _account(entry.wallet, unit, account))
            yield from self._changed_rights(entry, posting, debit, credit)
        if entry.kind == "EXTENSION":
            main = self._amounts["hold", str(entry.original)]
        if main != entry.body["points"]:
            self.violations.append(f"wrong points: {entry.place} says {entry.body['points']}, its postings {main}")

    def _changed_rights(self, entry: Written, posting: dict[str, Any], debit: str, credit: str) -> Iterator[Subject]:
        """What may be captured, undone or given back after it."""
        place, original = str(entry.place), str(entry.original)
        points, unit = int(posting["points"]), posting["unit"]
        match entry.kind, debit, credit:
            case "AWARD", "ISSUED", _:
                yield from self._changed(points, ("award", place, posting["issuer"], unit))
            case "REVERSAL", _, "ISSUED":
                issuer = posting["credit"].partition(":")[2]
                yield from self._changed(-points, ("award", original, issuer, unit))
            case "HOLD", _, "HELD":
                yield from self._changed(points, ("hold", place))
            case "CAPTURE" | "RELEASE", "HELD", _:
                yield from self._changed(-points, ("hold", original))
            case "REFUND", "REDEEMED", _:
                yield from self._changed(-points, ("spent", original))
        if entry.kind in ("REDEMPTION", "CAPTURE") and credit == "REDEEMED":
            yield from self._changed(points, ("spent", place))

    def _changed(self, change: int, subject: Subject) -> Iterator[Subject]:
        self._amounts[subject] += change
        yield subject


def _account(wallet: str, unit: str, account: str) -> Subject:
    return (account.lower(), wallet, unit)


def replayed(journal: Iterable[Entry]) -> Replayed:
    """Sort by place, check chains and seqs, take every entry in."""
    found = Replayed()
    last: dict[int, tuple[int, str]] = {}
    posted_at: dict[int, int] = {}
    for entry in sorted(journal, key=lambda entry: (entry.bucket, entry.seq)):
        seq, previous = last.get(entry.bucket, (0, bytes(32).hex()))
        if entry.seq != seq + 1:
            found.violations.append(f"gap: {entry.place} follows {Place(entry.bucket, seq)}")
        if sha256(bytes.fromhex(previous) + entry.canonical.encode()).hexdigest() != entry.hash:
            found.violations.append(f"broken chain: the hash of {entry.place} does not follow")
        last[entry.bucket] = (entry.seq, entry.hash)
        body = json.loads(entry.canonical)
        if (body["bucket"], body["seq"]) != entry.place:
            found.violations.append(f"forged: {entry.place} was hashed as {body['bucket']}-{body['seq']}")
        if body["posted_at"] < posted_at.get(entry.bucket, 0):
            found.violations.append(f"time ran back: {entry.place} was posted before the entry that it follows")
        posted_at[entry.bucket] = body["posted_at"]
        found.took(Written(entry.place, entry.hash, body))
    return found
