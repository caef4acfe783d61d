"""What is drawn for a new member or credential. One source of randomness, named in `main`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity.domain.codes import SEED_BYTES
from services.identity.domain.numbers import member_number
from services.identity.store.sealing import RandomBytes
from shared.ids import time_ordered


@dataclass(frozen=True, slots=True)
class Fresh:
    """New ids, numbers and seeds."""

    random_bytes: RandomBytes

    def id(self, at: datetime) -> UUID:
        """An id whose neighbours in time are its neighbours in an index; only the operator ever sees it."""
        return time_ordered(at, self._bits)

    def wallet_id(self) -> UUID:
        """Random through and through: it travels in grants and must say nothing about when its member joined."""
        return UUID(bytes=self.random_bytes(16), version=4)

    def member_number(self) -> str:
        return member_number(self._below)

    def code_seed(self) -> bytes:
        return self.random_bytes(SEED_BYTES)

    def _bits(self, count: int) -> int:
        return int.from_bytes(self.random_bytes((count + 7) // 8)) >> (-count % 8)

    def _below(self, limit: int) -> int:
        """Uniform below `limit`: a draw that would favour small values is thrown away."""
        while (drawn := self._bits(limit.bit_length())) >= limit:
            pass
        return drawn
