"""What somebody wants to happen to a wallet, before the core has decided.

`request_hash` covers the meaning of the request, not its bytes and not its grant: a retry may carry a fresh one.
Instants are microseconds since 1970 in UTC; `occurred_at` is None when the caller left it to the ledger.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from services.ledger.domain.entry import Place, ReceiptRef


class Moment(NamedTuple):
    """The instant of a decision, and the day it falls on in the programme's time zone."""

    at: int
    today: date


class Line(NamedTuple):
    """One issuer's part of an award or of its reversal."""

    issuer: str
    points: int
    expires_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What every wish carries. `partner` is who acts, taken from the credential."""

    bucket: int
    partner: str
    request_id: UUID
    occurred_at: int | None = None

    @property
    def request_hash(self) -> bytes:
        return sha256(json.dumps([type(self).__name__, *self.meaning()], separators=(",", ":")).encode()).digest()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardWish(WalletWish):
    """Give points: one lot for each line."""

    lines: tuple[Line, ...]
    receipt: ReceiptRef | None = None

    def meaning(self) -> list[object]:
        lines = [[line.issuer, line.points, _day(line.expires_on)] for line in self.lines]
        return [str(self.wallet), self.partner, lines, _receipt(self.receipt), self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldWish(WalletWish):
    """Reserve points for `ttl` microseconds."""

    points: int
    ttl: int
    store: str | None = None
    terminal: str | None = None

    def meaning(self) -> list[object]:
        return [str(self.wallet), self.partner, self.points, self.ttl, self.store, self.terminal, self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemWish(WalletWish):
    """Spend points at once."""

    points: int
    receipt: ReceiptRef | None = None

    def meaning(self) -> list[object]:
        return [str(self.wallet), self.partner, self.points, _receipt(self.receipt), self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureWish(EntryWish):
    """Spend held points; `points` is None for all of them."""

    points: int | None = None
    receipt: ReceiptRef | None = None

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.points, _receipt(self.receipt), self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWish(EntryWish):
    """Give held points back."""

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseWish(EntryWish):
    """Undo an award; no lines for all that is left of it."""

    lines: tuple[Line, ...] = ()

    def meaning(self) -> list[object]:
        return [self.original, self.partner, [[line.issuer, line.points] for line in self.lines], self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish(EntryWish):
    """Undo a redemption; `points` is None for all that is left of it."""

    points: int | None = None

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.points, self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireLotsWish(WalletWish):
    """The clock's work: end the points whose last day of use is over."""

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


def _receipt(receipt: ReceiptRef | None) -> list[str] | None:
    if receipt is None:
        return None
    return [receipt.store, receipt.terminal, receipt.business_date.isoformat(), receipt.receipt_no]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
