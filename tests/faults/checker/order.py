"""Real time: whoever was answered before another one called stands before it in the journal."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import accumulate

from tests.faults.checker.journal import Replayed
from tests.faults.record import Call, Place


def placed(calls: Iterable[Call], journal: Replayed) -> list[tuple[Place, Call]]:
    """Where each call that was posted stands; one without an answer, where the journal has it."""
    found = []
    for call in calls:
        if call.answer is not None:
            found.append((call.answer.place, call))
        elif entries := journal.by_request.get(call.request_id):
            found.append((entries[0].place, call))
    return found


def out_of_time(calls: Iterable[Call], journal: Replayed) -> list[str]:
    """Calls that stand behind one that was made only after they had been answered."""
    found = []
    latest: dict[int, tuple[Place, Call]] = {}
    for place, call in sorted(placed(calls, journal), key=lambda pair: pair[0]):
        before = latest.get(place.bucket)
        if before and call.answer and call.answered is not None and before[1].called > call.answered:
            found.append(f"reorder: {place} was answered before {before[0]} was asked for")
        if before is None or call.called > before[1].called:
            latest[place.bucket] = (place, call)
    return found


class Windows:
    """Between which seqs of a bucket somebody looked who called and was answered at two instants."""

    def __init__(self, calls: Iterable[Call], journal: Replayed) -> None:
        answered: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        called: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        for (bucket, seq), call in placed(calls, journal):
            called[bucket].append((call.called, seq))
            if call.answer and call.answered is not None:
                answered[bucket].append((call.answered, seq))
        self._answered = {bucket: _running(pairs, max) for bucket, pairs in answered.items()}
        self._called = {bucket: _running(pairs, min, from_the_end=True) for bucket, pairs in called.items()}

    def of(self, bucket: int, called: float, answered: float) -> tuple[int, float]:
        """The last seq that must have been seen, and the last that can have been."""
        times, newest = self._answered.get(bucket, ([], []))
        count = bisect_left(times, called)
        first = newest[count - 1] if count else 0
        times, oldest = self._called.get(bucket, ([], []))
        count = bisect_right(times, answered)
        return first, oldest[count] - 1 if count < len(oldest) else math.inf


def _running(
    pairs: list[tuple[float, int]], best: Callable[[int, int], int], *, from_the_end: bool = False
) -> tuple[list[float], list[int]]:
    pairs = sorted(pairs)
    times, seqs = [time for time, _ in pairs], [seq for _, seq in pairs]
    if from_the_end:
        return times, list(accumulate(reversed(seqs), best))[::-1]
    return times, list(accumulate(seqs, best))
