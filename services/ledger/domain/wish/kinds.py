"""What every wish carries, and what it is about: a wallet that a grant named, or an earlier entry."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from services.ledger.domain.entry import Place
from services.ledger.domain.wish.wording import dumps


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What every wish carries. `partner` is who acts, taken from the credential.

    A `dry` wish is decided like any other and then forgotten: it is not part of the meaning.
    """

    bucket: int
    partner: str
    request_id: UUID
    occurred_at: int | None = None
    dry: bool = False

    @property
    def request_hash(self) -> bytes:
        return sha256(self.wording().encode()).digest()

    def wording(self) -> str:
        """The meaning as text: what is hashed."""
        return dumps([type(self).__name__, *self.meaning()])

    def meaning(self) -> list[object]:
        """The parts that make two requests the same."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletWish(Wish):
    """A wish about a wallet that a grant named."""

    wallet: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryWish(Wish):
    """A wish about an earlier entry, which knows its wallet."""

    original: int

    @property
    def place(self) -> Place:
        return Place(self.bucket, self.original)
