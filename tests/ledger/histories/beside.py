"""What a machine has to know of the ledger that it plays on; a subclass says how its own does it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.ledger.domain.entry import Entry
from services.ledger.domain.wish import Wish
from shared.refusal import Refusal
from tests.ledger.histories.drawn import Setting
from tests.ledger.model import Rules, Seen

GRACE_DAYS = 3


class Beside:
    """A ledger beside the model."""

    grace_days = GRACE_DAYS
    strict = False
    """Whether the ledger is behind its door: the operator is no till, and nothing is merged into a merged wallet."""

    def open(self, setting: Setting) -> None:
        """Get ready, once the wallets have their ids."""

    def post(self, wish: Wish, wallet: UUID) -> Entry | Refusal:
        """As much of the clock's work on the wallet as the wish needs comes first."""
        raise NotImplementedError

    def deliver(self, out: Entry) -> None:
        """The leg that arrives."""
        raise NotImplementedError

    def sweep(self) -> None:
        """The clock's work everywhere, until nothing is due."""
        raise NotImplementedError

    def agree_on(self, partner: str, rules: Rules) -> None:
        """A partner's contract changes."""
        raise NotImplementedError

    def allow(self, partner: str, points: int) -> None:
        """A partner may award so many points from now on."""
        raise NotImplementedError

    def look(self, wallet: UUID) -> Seen:
        raise NotImplementedError

    def since(self, bucket: int, seq: int) -> Sequence[Entry]:
        """What was posted there after that entry."""
        raise NotImplementedError

    def restart(self) -> None:
        """What remembers nothing needs no restart."""

    def rehearsed(self, wish: Wish, wallet: UUID) -> Entry | Refusal | None:
        """The answer of a dry run, where the ledger knows how to."""

    def repeated(self, wish: Wish, wallet: UUID, entry: Entry) -> None:
        """The pure core knows no repeats; a ledger with a memory checks them here."""

    def named(self, partner: str) -> str:
        """The partner's id, where the ledger has its own."""
        return partner

    def issuer(self, issuer: str, who: str) -> str:
        """In whose name somebody may award."""
        return self.named(issuer)

    def catch_up(self) -> None:
        """Where the clock works by itself, take in what it has done."""

    def has_news(self) -> bool:
        """Whether the clock has done something that was not taken in yet."""
        return False

    def setting_of(self, drawn_: Setting) -> Setting:
        """The programme, where it can be chosen."""
        return drawn_
