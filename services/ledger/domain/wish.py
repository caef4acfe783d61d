"""What somebody wants to happen to a wallet, before the core has decided.

`request_hash` covers the meaning of the request, not its bytes and not its grant: a retry may carry a fresh one.
Instants are microseconds since 1970 in UTC; `occurred_at` is None when the caller left it to the ledger.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import NamedTuple
from uuid import UUID

from services.ledger.domain.entry import Counterpart, Entry, Place, ReceiptRef, Unit

_dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_quoted = lru_cache(maxsize=4096)(encode_basestring_ascii)
_POINTS = Unit.POINTS  # to look a member up in its enum costs more than to compare it


class Line(NamedTuple):
    """One part of an award or of its reversal. Issuer, unit and campaign tell the parts of one award apart."""

    issuer: str
    points: int
    expires_on: date | None = None
    unit: Unit = Unit.POINTS
    available_from: int | None = None
    campaign: str = ""

    @property
    def key(self) -> LineKey:
        return LineKey(self.issuer, self.unit, self.campaign)


class LineKey(NamedTuple):
    """What one award has at most one line of."""

    issuer: str
    unit: Unit = Unit.POINTS
    campaign: str = ""


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
        return _dumps([type(self).__name__, *self.meaning()])

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
    """Give points: one lot for each line. `reason`: why, where nobody at a till asked for it."""

    lines: tuple[Line, ...]
    receipt: ReceiptRef | None = None
    reason: str | None = None

    def meaning(self) -> list[object]:
        lines = [[line.issuer, line.points, _day(line.expires_on), *_rare(line)] for line in self.lines]
        return [str(self.wallet), self.partner, lines, _receipt(self.receipt), self.occurred_at]

    def wording(self) -> str:
        """The same as of any wish, in half the time: of nothing are there more. A test compares the two."""
        lines = []
        for line in self.lines:
            if _rare(line):
                return _dumps([type(self).__name__, *self.meaning()])
            expires_on = f'"{_day(line.expires_on)}"' if line.expires_on else "null"
            lines.append(f"[{_quoted(line.issuer)},{line.points},{expires_on}]")
        receipt = "null" if self.receipt is None else _receipt_text(self.receipt)
        occurred_at = "null" if self.occurred_at is None else self.occurred_at
        return f'["AwardWish","{self.wallet}",{_quoted(self.partner)},[{",".join(lines)}],{receipt},{occurred_at}]'


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldWish(WalletWish):
    """Reserve points for `ttl` microseconds."""

    points: int
    ttl: int
    store: str | None = None
    terminal: str | None = None
    unit: Unit = Unit.POINTS
    receipt_points: int | None = None

    def meaning(self) -> list[object]:
        whole = [str(self.wallet), self.partner, self.points, self.ttl, self.store, self.terminal, self.occurred_at]
        return [*whole, *_given(unit=self.unit, receipt_points=self.receipt_points)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemWish(WalletWish):
    """Spend points at once. `receipt_points` is what the whole receipt would cost in points."""

    points: int
    receipt: ReceiptRef | None = None
    unit: Unit = Unit.POINTS
    receipt_points: int | None = None

    def meaning(self) -> list[object]:
        whole = [str(self.wallet), self.partner, self.points, _receipt(self.receipt), self.occurred_at]
        return [*whole, *_given(unit=self.unit, receipt_points=self.receipt_points)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureWish(EntryWish):
    """Spend held points; `points` is None for all of them. With `keep_open` the rest stays held."""

    points: int | None = None
    receipt: ReceiptRef | None = None
    keep_open: bool = False

    def meaning(self) -> list[object]:
        whole = [self.original, self.partner, self.points, _receipt(self.receipt), self.occurred_at]
        return [*whole, *_given(keep_open=self.keep_open)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWish(EntryWish):
    """Give held points back; `points` is None for all that are still held."""

    points: int | None = None

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.occurred_at, *_given(points=self.points)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendWish(EntryWish):
    """Let a hold live for `ttl` microseconds from now."""

    ttl: int

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.ttl, self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePendingWish(EntryWish):
    """Make what is pending of an award available now."""

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseWish(EntryWish):
    """Undo an award; no lines for all that is left of it."""

    lines: tuple[Line, ...] = ()

    def meaning(self) -> list[object]:
        lines = [[line.issuer, line.points, *_rare(line)] for line in self.lines]
        return [self.original, self.partner, lines, self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish(EntryWish):
    """Undo a redemption; `points` is None for all that is left of it."""

    points: int | None = None

    def meaning(self) -> list[object]:
        return [self.original, self.partner, self.points, self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferWish(WalletWish):
    """Send available points to another wallet: the leg that leaves."""

    to: Counterpart
    points: int
    unit: Unit = Unit.POINTS

    def meaning(self) -> list[object]:
        whole = [str(self.wallet), self.partner, str(self.to.wallet), self.points, self.occurred_at]
        return [*whole, *_given(unit=self.unit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeWish(WalletWish):
    """Send everything to another wallet, debts too, and whatever comes later: the leg that leaves."""

    to: Counterpart

    def meaning(self) -> list[object]:
        return [str(self.wallet), self.partner, str(self.to.wallet), self.occurred_at]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArriveWish(WalletWish):
    """Take in what left another wallet by entry `out`: the leg that arrives."""

    out: Entry

    def meaning(self) -> list[object]:
        return [self.out.bucket, self.out.seq]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustWish(WalletWish):
    """Correct by hand, as one user proposed and another approved: give points of an issuer, or take them."""

    issuer: str
    points: int
    taking: bool
    reason: str
    proposed_by: str
    approved_by: str
    unit: Unit = Unit.POINTS
    expires_on: date | None = None

    def meaning(self) -> list[object]:
        whole = [str(self.wallet), self.issuer, self.unit.name, self.points, self.taking, self.reason]
        return [*whole, self.proposed_by, _day(self.expires_on)]


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


def _rare(line: Line) -> list[object]:
    """What few lines have: named only where it is there, so that plain lines keep the meaning they always had."""
    if line.unit is _POINTS and line.available_from is None and not line.campaign:
        return []
    return _given(unit=line.unit, available_from=line.available_from, campaign=line.campaign)


def _given(
    unit: Unit = Unit.POINTS,
    receipt_points: int | None = None,
    points: int | None = None,
    available_from: int | None = None,
    campaign: str = "",
    keep_open: bool = False,
) -> list[object]:
    rare: dict[str, object] = {}
    if unit is not Unit.POINTS:
        rare["unit"] = unit.name
    if receipt_points is not None:
        rare["receipt_points"] = receipt_points
    if points is not None:
        rare["points"] = points
    if available_from is not None:
        rare["available_from"] = available_from
    if campaign:
        rare["campaign"] = campaign
    if keep_open:
        rare["keep_open"] = True
    return [rare] if rare else []


def _receipt(receipt: ReceiptRef | None) -> list[str] | None:
    if receipt is None:
        return None
    return [receipt.store, receipt.terminal, receipt.business_date.isoformat(), receipt.receipt_no]


def _receipt_text(receipt: ReceiptRef) -> str:
    store, terminal, business_date, number = receipt
    return f'[{_quoted(store)},{_quoted(terminal)},"{_day(business_date)}",{encode_basestring_ascii(number)}]'


@lru_cache(maxsize=4096)
def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
