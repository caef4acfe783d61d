"""What one run of one case measured, and what several of them amount to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True)
class Measured:
    """One run of so many seconds. Processor seconds are None where there is no such process."""

    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    client_seconds: float | None = None
    server_seconds: float | None = None
    database_seconds: float | None = None
    seconds: float | None = None

    @property
    def processor_us(self) -> float | None:
        """Processor time of everybody together for one of them, in microseconds."""
        used = [self.client_seconds, self.server_seconds, self.database_seconds]
        done = self.per_second * (self.seconds or 0)
        return 1e6 * sum(part or 0 for part in used) / done if done else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """Of sorted values: the one below which that share of them lies."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else None


def median_between(values: Sequence[float]) -> tuple[float, float]:
    """The two of them between which the median of all that could have been measured lies, in 19 of 20 cases.

    Whatever the distribution: the sign test's interval. Of fewer than 6 values it is all of them, which is less sure.
    """
    ordered, count = sorted(values), len(values)
    outside, tail = 0, 1
    while 40 * tail <= 2**count:
        outside += 1
        tail += comb(count, outside)
    outside = max(outside, 1)
    return ordered[outside - 1], ordered[count - outside]
