"""What a client of a crash run knows: the wallets, whose grants it has, and entries that a later verb may name."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID, uuid4

from shared.clock import SystemClock
from shared.credentials.grants import Grant, GrantRing, Scope
from tests.faults.record import Place

PARTNERS = ("grocer", "florist", "tailor")
OWN, CATALOGUE, OPERATOR, SECOND = "own", "catalogue", "operator", "second"
"""Who calls: the till's own partner, the catalogue, and two users of the operator."""
_REMEMBERED = 64


class Made(NamedTuple):
    """An entry that a later verb may name."""

    name: str
    place: Place
    wallet: str
    points: int


def _memory() -> deque[Made]:
    return deque(maxlen=_REMEMBERED)


@dataclass
class Memory:
    """What the tills of one partner know of its entries, so that several of them go for the same one."""

    awards: deque[Made] = field(default_factory=_memory)
    pending: deque[Made] = field(default_factory=_memory)
    holds: deque[Made] = field(default_factory=_memory)
    spent: deque[Made] = field(default_factory=_memory)
    receipts: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


@dataclass
class Shop:
    """A client's view of the world. `wallets` and `memories` are everybody's; `luck` is its own."""

    partner: str
    luck: Random
    wallets: list[UUID]
    memories: dict[str, Memory]
    ring: GrantRing
    _grants: dict[tuple[UUID, str], str] = field(default_factory=dict)

    @property
    def memory(self) -> Memory:
        return self.memories[self.partner]

    def wallet(self) -> UUID:
        """Any wallet; every eighth time the hot one."""
        return self.wallets[0] if self.luck.random() < 1 / 8 else self.luck.choice(self.wallets)

    def grant(self, wallet: UUID, holder: str = "") -> str:
        key = (wallet, holder or self.partner)
        if key not in self._grants:
            now = SystemClock().now()
            grant = Grant(wallet, key[1], Scope.REDEEM, None, (), now, now + timedelta(days=1), uuid4())
            self._grants[key] = self.ring.seal(grant)
        return self._grants[key]

    def pick(self, among: deque[Made]) -> Made | None:
        """One of those; now and then one of another partner, which must look like none."""
        try:
            return self.luck.choice(among) if among else None
        except IndexError:
            return None  # another till used it meanwhile
