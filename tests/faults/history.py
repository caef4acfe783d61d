"""What tills remember of their calls, and whether one ledger can have given all these answers.

Linear in the number of answers: sort by place, replay, compare.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from coalition.ledger.v1 import ledger_pb2 as pb


@dataclass(frozen=True)
class Answered:
    """One acknowledged call: when it was made and answered, on one monotonic clock; the wallet by any name."""

    wallet: str
    called: float
    answered: float
    entry: pb.Entry

    @property
    def effect(self) -> int:
        """What it did to the available points."""
        taken = self.entry.kind == pb.ENTRY_KIND_REDEMPTION
        return -self.entry.points if taken else self.entry.points


def violations(history: Iterable[Answered]) -> list[str]:
    """Everything that no ledger could have answered. `history` holds every award and redemption of its wallets."""
    found: list[str] = []
    by_bucket: defaultdict[int, list[Answered]] = defaultdict(list)
    by_wallet: defaultdict[str, list[Answered]] = defaultdict(list)
    requests: dict[str, str] = {}
    for answer in history:
        by_bucket[answer.entry.bucket].append(answer)
        by_wallet[answer.wallet].append(answer)
        place = requests.setdefault(answer.entry.request_id, answer.entry.name)
        if place != answer.entry.name:
            found.append(f"double apply: {place} and {answer.entry.name} are one request")
    for answers in by_bucket.values():
        found += _out_of_time(sorted(answers, key=_seq))
    for answers in by_wallet.values():
        found += _out_of_balance(sorted(answers, key=_seq))
    return found


def gaps(entries: Iterable[pb.JournalEntry]) -> list[str]:
    """Places that a bucket of the journal skips or has twice."""
    last: defaultdict[int, int] = defaultdict(int)
    found = []
    for entry in sorted(entries, key=lambda entry: (entry.bucket, entry.seq)):
        if entry.seq != last[entry.bucket] + 1:
            found.append(f"gap: {entry.bucket}-{entry.seq} follows {entry.bucket}-{last[entry.bucket]}")
        last[entry.bucket] = entry.seq
    return found


def _seq(answer: Answered) -> int:
    return answer.entry.seq


def _out_of_time(answers: list[Answered]) -> list[str]:
    """Whoever was answered before another one called must stand before it."""
    found = []
    latest = answers[0]
    for answer in answers:
        if latest.called > answer.answered:
            found.append(f"reorder: {answer.entry.name} was answered before {latest.entry.name} was called")
        latest = max(latest, answer, key=lambda one: one.called)
    return found


def _out_of_balance(answers: list[Answered]) -> list[str]:
    found = []
    balance, places = 0, set()
    for answer in answers:
        if answer.entry.name in places:
            continue  # a repeat
        places.add(answer.entry.name)
        balance += answer.effect
        if answer.entry.balance.available != balance:
            found.append(f"lost update: {answer.entry.name} says {answer.entry.balance.available}, not {balance}")
            balance = answer.entry.balance.available
    return found
