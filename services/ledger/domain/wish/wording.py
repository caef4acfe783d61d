"""How the meaning of a wish is worded: what is hashed, so not a byte of it may ever change."""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from json.encoder import encode_basestring_ascii

from services.ledger.domain.entry import ReceiptRef, Unit
from services.ledger.domain.wish.lines import Line

dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
quoted = lru_cache(maxsize=4096)(encode_basestring_ascii)
_POINTS = Unit.POINTS  # to look a member up in its enum costs more than to compare it


def rare(line: Line) -> list[object]:
    """What few lines have: named only where it is there, so that plain lines keep the meaning they always had."""
    if line.unit is _POINTS and line.available_from is None and not line.campaign:
        return []
    return given(unit=line.unit, available_from=line.available_from, campaign=line.campaign)


def given(
    unit: Unit = Unit.POINTS,
    receipt_points: int | None = None,
    points: int | None = None,
    available_from: int | None = None,
    campaign: str = "",
    keep_open: bool = False,
) -> list[object]:
    """What is not as it mostly is, by its name; nothing at all where everything is."""
    named: dict[str, object] = {}
    if unit is not Unit.POINTS:
        named["unit"] = unit.name
    if receipt_points is not None:
        named["receipt_points"] = receipt_points
    if points is not None:
        named["points"] = points
    if available_from is not None:
        named["available_from"] = available_from
    if campaign:
        named["campaign"] = campaign
    if keep_open:
        named["keep_open"] = True
    return [named] if named else []


def receipt_meaning(receipt: ReceiptRef | None) -> list[str] | None:
    if receipt is None:
        return None
    return [receipt.store, receipt.terminal, receipt.business_date.isoformat(), receipt.receipt_no]


def receipt_text(receipt: ReceiptRef) -> str:
    """The same as JSON."""
    store, terminal, business_date, number = receipt
    return f'[{quoted(store)},{quoted(terminal)},"{day_text(business_date)}",{encode_basestring_ascii(number)}]'


@lru_cache(maxsize=4096)
def day_text(day: date | None) -> str | None:
    return day.isoformat() if day else None
