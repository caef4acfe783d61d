"""What many pairs amount to: a line for each case with the medians of its runs, and how cases compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.load.cases import CASES
from tests.load.measured import Measured

REFERENCE = "simple-update"


@dataclass(frozen=True)
class Pair:
    """One run of a case and the run of simple-update before it."""

    name: str
    reference: Measured
    case: Measured

    @property
    def ratio(self) -> float:
        return self.case.per_second / self.reference.per_second

    @property
    def processor_ratio(self) -> float | None:
        """The same by processor time: what the ratio would be if nothing but processors held either up."""
        mine, theirs = self.case.processor_us, self.reference.processor_us
        return theirs / mine if mine and theirs else None

    def __str__(self) -> str:
        return f"{self.name}: {self.case.per_second:,.0f} per second, {self.ratio:.2f} of simple-update"


def lines(pairs: Sequence[Pair]) -> list[dict[str, object]]:
    """A line of the table for each case that ran, simple-update first."""
    found = [_line(REFERENCE, "16", [pair.reference for pair in pairs])]
    for case in CASES:
        mine = [pair for pair in pairs if pair.name == case.name]
        if mine:
            ratios = {
                "name": case.name,
                "ratio": _median([pair.ratio for pair in mine]),
                "processor_ratio": _median([pair.processor_ratio for pair in mine]),
                "ratios": [round(pair.ratio, 3) for pair in mine],
            }
            found.append(_line(case.what, case.in_flight, [pair.case for pair in mine]) | ratios)
    return found


def _line(what: str, in_flight: str, runs: Sequence[Measured]) -> dict[str, object]:
    names = (*Measured.__dataclass_fields__, "processor_us")
    medians = {name: _median([getattr(run, name) for run in runs]) for name in names}
    return {"case": what, "in_flight": in_flight, "runs": len(runs), "ratio": None, "processor_ratio": None, **medians}


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 3) if known else None


def share(pairs: Sequence[Pair], one: str, other: str) -> float | None:
    """The median over the rounds of one case's ratio to another's."""
    ratios = {name: [pair.ratio for pair in pairs if pair.name == name] for name in (one, other)}
    shares = [mine / others for mine, others in zip(ratios[one], ratios[other], strict=False)]
    return round(median(shares), 3) if shares else None
