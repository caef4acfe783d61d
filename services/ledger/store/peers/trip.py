"""One caller's wishes on their way: what is answered, what may have been posted, and what still has to be asked."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.ledger.domain.refusals.requests import StillPosting, TooLate
from services.ledger.domain.wish import Wish
from services.ledger.store.holdings import Holdings, StripeMoved
from services.ledger.store.peers.courier import Parcel
from services.ledger.store.stripes import stripe_of
from services.ledger.store.writer.batch import Outcome
from shared.refusal import Refusal, reason_of

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2
HERE: Final = ""
"""The address of our own lanes."""


@dataclass(slots=True)
class Trip:
    """Wishes by their index. `deadline` is a reading of time.monotonic."""

    wishes: Sequence[Wish]
    deadline: float
    _found: dict[int, Outcome] = field(default_factory=dict)
    _perhaps: set[int] = field(default_factory=set)
    _pause: float = _FIRST_PAUSE

    @property
    def within(self) -> float:
        """Seconds that are left."""
        return max(0.0, self.deadline - time.monotonic())

    def goes_on(self) -> bool:
        return len(self._found) < len(self.wishes) and self.within > 0

    def by_address(self, holdings: Holdings, stripes: int) -> dict[str, list[int]]:
        """Whom to ask about what is left, as far as anybody holds it."""
        held = holdings.held()
        asked: dict[str, list[int]] = defaultdict(list)
        for index, wish in enumerate(self.wishes):
            if index in self._found:
                continue
            stripe = stripe_of(wish.bucket, stripes)
            address = HERE if stripe in held else holdings.holder_of(stripe)
            if address is not None:
                asked[address].append(index)
        return asked

    def of(self, indexes: Iterable[int]) -> list[Wish]:
        return [self.wishes[index] for index in indexes]

    def brought(self, indexes: Sequence[int], parcel: Parcel) -> None:
        """A parcel has come back, with or without an answer."""
        if parcel.outcomes is not None:
            self.take(indexes, parcel.outcomes)
        elif parcel.perhaps:
            self._perhaps.update(indexes)

    def take(self, indexes: Sequence[int], outcomes: Iterable[Outcome]) -> None:
        """Keep what is an answer: a stripe that has moved is none."""
        for index, outcome in zip(indexes, outcomes, strict=True):
            if not isinstance(outcome, StripeMoved):
                doubtful = index in self._perhaps and _says_nothing_happened(outcome)
                self._found[index] = StillPosting() if doubtful else outcome

    def pause(self) -> float:
        """How long to wait before asking again, longer each time."""
        pause, self._pause = min(self._pause, self.within), min(self._pause * 2, _LONGEST_PAUSE)
        return pause

    def outcomes(self) -> list[Outcome]:
        """All of them; StillPosting where a peer may have posted, TooLate where none has."""
        return [
            self._found.get(index) or (StillPosting() if index in self._perhaps else TooLate())
            for index in range(len(self.wishes))
        ]


def _says_nothing_happened(outcome: Outcome) -> bool:
    """True of that attempt, of an earlier one nobody knows."""
    return isinstance(outcome, Refusal) and outcome.reason == reason_of(TooLate)
