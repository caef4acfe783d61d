"""A ledger and the model of it: where both stand, and who and what a step is about."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TypedDict
from uuid import UUID, uuid4

from hypothesis.stateful import RuleBasedStateMachine

from services.ledger.domain.entry import Counterpart, Entry, EntryKind
from services.ledger.domain.wish import Wish
from shared.instants import micros
from tests.ledger.histories import drawn
from tests.ledger.histories.beside import Beside
from tests.ledger.model import Now, Town

BUCKETS = (7, 6)
NOWHERE = 10**9
BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Base(TypedDict):
    """What every wish carries."""

    bucket: int
    partner: str
    request_id: UUID


class InTown(Beside, RuleBasedStateMachine):
    """Wallets in two buckets, each a purse in the model; two partners, and time that goes on."""

    town: Town

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGINNING
        self.wallets: list[UUID] = []
        self.posted: list[tuple[int, Wish, Entry]] = []
        self.under_way: list[Entry] = []
        self.failing = False
        self.began = dict.fromkeys(BUCKETS, 0)
        self.heads = dict.fromkeys(BUCKETS, 0)
        self.unfollowed: dict[int, deque[Entry]] = {bucket: deque() for bucket in BUCKETS}

    @property
    def at(self) -> int:
        return micros(self.now)

    @property
    def moment(self) -> Now:
        return Now(self.at, self.now.date())

    def _base(self, purse: int, partner: str) -> Base:
        return {"bucket": self.town.purses[purse].bucket, "partner": partner, "request_id": uuid4()}

    def _place(self, purse: int) -> Counterpart:
        return Counterpart(self.town.purses[purse].bucket, self.wallets[purse])

    def _purse(self, wallet: UUID) -> int:
        return self.wallets.index(wallet)

    def any_of(self, *kinds: EntryKind) -> bool:
        """Whether a verb for such entries has anything to do."""
        return any(entry.kind in kinds for _, _, entry in self.posted)

    def anything_free(self) -> bool:
        return any(purse.lying("free") for purse in self.town.purses)

    def spender(self, number: int) -> int:
        """A purse with free points where there is one, or just any."""
        purse, any_ = number % drawn.PURSES, number >= 3 * drawn.PURSES
        rich = [name for name, found in enumerate(self.town.purses) if found.lying("free")]
        return purse if any_ or not rich else rich[purse % len(rich)]

    def picked(self, pick: int, actor: str | None, *kinds: EntryKind) -> tuple[int, int, str]:
        """A purse, the seq of an entry and who acts: mostly on an entry that the verb is for, sometimes on any, or on
        none that ever was."""
        fitting = [found for found in self.posted if found[2].kind in kinds]
        choice = fitting if pick % 8 else self.posted
        if pick % 32 == 1:
            return 0, NOWHERE, self.named(actor or drawn.PARTNERS[0])
        purse, _, entry = choice[pick // 8 % len(choice)]
        own = actor is None and not (self.strict and entry.partner == "operator")
        return purse, entry.seq, entry.partner if own else self.named(actor or drawn.PARTNERS[0])
