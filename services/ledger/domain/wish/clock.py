"""What the clock does by itself."""

from __future__ import annotations

from dataclasses import dataclass

from services.ledger.domain.wish.kinds import EntryWish, WalletWish


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireLotsWish(WalletWish):
    """The clock's work: end the points whose last day of use is over."""

    def meaning(self) -> list[object]:
        return [str(self.wallet)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearWish(WalletWish):
    """The clock's work: make available what was pending until now."""

    def meaning(self) -> list[object]:
        return [str(self.wallet)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireHoldWish(EntryWish):
    """The clock's work: release a hold whose time is up."""

    def meaning(self) -> list[object]:
        return [self.original]


@dataclass(frozen=True, slots=True, kw_only=True)
class TendWish(WalletWish):
    """Do the clock's work on a wallet, whatever is due. It becomes no entry of its own."""

    def meaning(self) -> list[object]:
        return [str(self.wallet)]
