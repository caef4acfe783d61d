"""Request ids that were answered lately: whoever repeats one costs a look at its entry, not a batch done twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from services.ledger.domain.entry import Entry, Place


class Memory:
    """All lanes'. What it knows is true for ever; what it does not know may have happened all the same."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._places: dict[int, Place] = {}

    @property
    def places(self) -> Mapping[int, Place]:
        """By the id as a number."""
        return self._places

    def learn(self, entries: Iterable[Entry]) -> None:
        """Of committed entries. Beyond `most` the oldest tenth is forgotten."""
        self._places |= {entry.request_id.int: entry.place for entry in entries}
        if len(self._places) > self._most:
            for id_ in list(islice(self._places, len(self._places) - self._most + self._most // 10)):
                self._places.pop(id_, None)  # another lane may be forgetting, too
