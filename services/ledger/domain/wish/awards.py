"""Points are given, become usable before their time, or are taken back."""

from __future__ import annotations

from dataclasses import dataclass

from services.ledger.domain.entry import ReceiptRef
from services.ledger.domain.wish.kinds import EntryWish, WalletWish
from services.ledger.domain.wish.lines import Line
from services.ledger.domain.wish.wording import day_text, dumps, quoted, rare, receipt_meaning, receipt_text


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardWish(WalletWish):
    """Give points: one lot for each line. `reason`: why, where nobody at a till asked for it."""

    lines: tuple[Line, ...]
    receipt: ReceiptRef | None = None
    reason: str | None = None

    def meaning(self) -> list[object]:
        lines = [[line.issuer, line.points, day_text(line.expires_on), *rare(line)] for line in self.lines]
        return [str(self.wallet), self.partner, lines, receipt_meaning(self.receipt), self.occurred_at]

    def wording(self) -> str:
        """The same as of any wish, in half the time: of nothing are there more. A test compares the two."""
        lines = []
        for line in self.lines:
            if rare(line):
                return dumps([type(self).__name__, *self.meaning()])
            expires_on = f'"{day_text(line.expires_on)}"' if line.expires_on else "null"
            lines.append(f"[{quoted(line.issuer)},{line.points},{expires_on}]")
        receipt = "null" if self.receipt is None else receipt_text(self.receipt)
        occurred_at = "null" if self.occurred_at is None else self.occurred_at
        return f'["AwardWish","{self.wallet}",{quoted(self.partner)},[{",".join(lines)}],{receipt},{occurred_at}]'


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
        lines = [[line.issuer, line.points, *rare(line)] for line in self.lines]
        return [self.original, self.partner, lines, self.occurred_at]
