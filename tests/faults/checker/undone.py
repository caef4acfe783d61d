"""What left no entry: refusals, and balances that were read. Each must fit a state that there was at that time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from tests.faults.checker.journal import Replayed, Subject
from tests.faults.checker.order import Windows
from tests.faults.record import Balance, Call, History, Look, Place, Refused

_SKEW = 0.05
"""Seconds between the clocks of two processes on one machine."""


def unjustified_refusals(history: History, journal: Replayed, windows: Windows) -> Iterator[str]:
    """Refusals for a reason that there was not. Where the history cannot tell, the ledger is believed."""
    for call in history.calls:
        if call.refused is None or call.answered is None:
            continue
        if call.refused.reason not in _REASONS:
            yield f"unexpected refusal: {call} was refused with {call.refused.reason} {call.refused.facts}"
        elif not _REASONS[call.refused.reason](_Case(call, call.refused, history, journal, windows)):
            yield f"unjustified refusal: {call} was refused with {call.refused.reason} {call.refused.facts}"


_PLENTY = 2**63


class _Case:
    """A refusal and what was there while it was made."""

    def __init__(self, call: Call, refused: Refused, history: History, journal: Replayed, windows: Windows) -> None:
        self.call = call
        self.asked = call.asked
        self.refused = refused
        self.history = history
        self.journal = journal
        self._windows = windows

    def ran_short(self, subject: Subject, wanted: int | None = None) -> bool:
        """Whether there was a moment at which less of it was left than what was wanted."""
        return min(self._amounts(subject), default=_PLENTY) < (wanted or self.asked.points or 1)

    def insufficient(self) -> bool:
        subject: Subject = ("available", self.asked.wallet or "", self.asked.unit)
        if self.asked.issuer:
            subject = ("own", *subject[1:], self.asked.issuer)
        said = self.refused.facts.get("available")
        return self.ran_short(subject) and (said is None or int(said) in self._amounts(subject))

    def closed(self) -> bool:
        return self.ran_short(("hold", str(self.asked.original)), wanted=1)

    def too_little_held(self) -> bool:
        return self.ran_short(("hold", str(self.asked.original)))

    def too_little_awarded(self) -> bool:
        return self.ran_short(("award", str(self.asked.original), self.call.partner, self.asked.unit))

    def too_little_spent(self) -> bool:
        return self.ran_short(("spent", str(self.asked.original)))

    def expired(self) -> bool:
        answered = self.history.wall + (self.call.answered or 0) + _SKEW
        return self.journal.hold_until.get(str(self.asked.original), 0) <= answered * 1_000_000

    def receipt_used(self) -> bool:
        entry = self.journal.entries.get(Place.named(self.refused.facts["entry"]))
        return entry is not None and entry.partner == self.call.partner and entry.receipt() == self.asked.receipt

    def not_there(self) -> bool:
        entry = self.journal.entries.get(self.asked.original or Place(0, 0))
        return entry is None or entry.partner != self.call.partner

    def nothing_pending(self) -> bool:
        return self.ran_short(("clearing", str(self.asked.original)), wanted=1)

    def to_itself(self) -> bool:
        return self.asked.wallet == self.asked.to

    def merged(self) -> bool:
        return not self.journal.merged.isdisjoint({self.asked.wallet, self.asked.to})

    def unknowable(self) -> bool:
        return True

    def _amounts(self, subject: Subject) -> list[int]:
        bucket = self._bucket()
        if bucket is None:
            return [0]  # nothing was ever there
        window = self._windows.of(bucket, self.call.called, self.call.answered or 0)
        return self.journal.timelines[subject].between(*window)

    def _bucket(self) -> int | None:
        if self.asked.original:
            return self.asked.original.bucket
        return self.journal.buckets.get(self.asked.wallet or "")


_REASONS = {
    "INSUFFICIENT_POINTS": _Case.insufficient,
    "HOLD_CLOSED": _Case.closed,
    "HOLD_EXPIRED": _Case.expired,
    "HOLD_NOT_FOUND": _Case.not_there,
    "ENTRY_NOT_FOUND": _Case.not_there,
    "CAPTURE_EXCEEDS_HOLD": _Case.too_little_held,
    "REVERSAL_EXCEEDS_AWARD": _Case.too_little_awarded,
    "REFUND_EXCEEDS_REDEMPTION": _Case.too_little_spent,
    "RECEIPT_ALREADY_USED": _Case.receipt_used,
    "RELEASE_EXCEEDS_HOLD": _Case.too_little_held,
    "NOTHING_PENDING": _Case.nothing_pending,
    "TRANSFER_TO_ITSELF": _Case.to_itself,
    "WALLET_MERGED": _Case.merged,
    "HOLD_ENDS_LATER": _Case.unknowable,
    "TOO_MANY_LOTS": _Case.unknowable,
}
"""What may be refused, and how to tell whether rightly."""


def unjustified_looks(history: History, journal: Replayed, windows: Windows) -> Iterator[str]:
    """Balances that were over when somebody asked, or had not come, or that are older than what was read before."""
    by_wallet: defaultdict[str, list[Look]] = defaultdict(list)
    for look in history.looks:
        by_wallet[look.wallet].append(look)
    for wallet, looks in by_wallet.items():
        states = [(0, Balance()), *journal.balances.get(wallet, [])]
        yield from _stale(looks, states, windows, journal.buckets.get(wallet, 0))


def _stale(looks: list[Look], states: list[tuple[int, Balance]], windows: Windows, bucket: int) -> Iterator[str]:
    seqs = [seq for seq, _ in states]
    seen = []
    for look in looks:
        first, last = windows.of(bucket, look.called, look.answered)
        choice = range(bisect_right(seqs, first) - 1, bisect_right(seqs, last))
        fitting = [index for index in choice if states[index][1] == look.balance]
        if fitting:
            seen.append((look, fitting))
        else:
            yield f"stale read: {look.wallet} was said to hold {look.balance}, which was not so at that time"
    seen.sort(key=lambda pair: pair[0].answered)
    newest = list(accumulate((fitting[0] for _, fitting in seen), max))
    times = [look.answered for look, _ in seen]
    for look, fitting in seen:
        count = bisect_left(times, look.called)
        if count and fitting[-1] < newest[count - 1]:
            yield f"stale read: {look.wallet} was said to hold {look.balance}, after a newer balance had been read"
