"""What a run of bad messages found, and whether that is as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.fuzz.sending import Result

MOST_GROWTH_MIB: Final = 50


@dataclass
class Report:
    """What the run found. `sound` when nothing is to be complained of."""

    seed: int
    messages: int
    methods: dict[str, Result] = field(default_factory=dict)
    growth_mib: float = 0.0
    traces: list[str] = field(default_factory=list)
    good_calls: bool = False

    @property
    def wrong(self) -> dict[str, list[str]]:
        """Answers that nobody should ever get, by method."""
        return {name: result.wrong for name, result in self.methods.items() if result.wrong}

    @property
    def sound(self) -> bool:
        """Whether the limit of memory holds and nothing else is wrong."""
        return not self.traces and not self.wrong and self.good_calls and self.growth_mib < MOST_GROWTH_MIB

    def lines(self) -> Iterator[str]:
        """For people."""
        for name, wrong in self.wrong.items():
            yield from (f"WRONG {name}: {one}" for one in wrong[:5])
        yield from (f"TRACE {trace}" for trace in self.traces[:10])
        sent = sum(result.codes.total() for result in self.methods.values())
        yield f"{sent:,} messages, {len(self.methods)} methods, memory grew by {self.growth_mib:.1f} MiB"
        yield "sound" if self.sound else f"NOT SOUND; repeat with --seed {self.seed}"
