"""A statement as a workbook: amounts as exact text, a numeric column beside them. Same document, same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from services.settlement.domain.statement import decimal_text_fixed
from shared.instants import instant
from shared.money import exponent_of, major

_LINES = (
    "leg",
    "debtor",
    "creditor",
    "rate",
    "points",
    "items",
    "late_items",
    "points_before",
    "points_after",
    "exact",
    "booked",
    "tax_class",
    "tax",
    "subject",
    "currency",
    "booked_number",
)
_NETS = ("currency", "billed", "reimbursed", "fees", "tax", "net", "net_number")


def as_xlsx(document: Mapping[str, Any]) -> bytes:
    """Three sheets: what it is, its lines, its nets. The time in it is that of the closing checkpoint."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False})
    closing = document["to_checkpoint"]
    book.set_properties(
        {
            "title": f"Statement of {document['partner']}, window {document['window']}",
            "created": instant(closing["created_at"]).replace(tzinfo=None),
        }
    )
    facts = [
        ("partner", document["partner"]),
        ("window", document["window"]),
        ("closing checkpoint", closing["number"]),
        ("its root", closing["root"]),
        ("lines root", document["lines_root"]),
        ("key", document["signature"]["key_id"]),
        ("signature", document["signature"]["value"]),
    ]
    _write(book.add_worksheet("Statement"), ("fact", "value"), [(name, str(value)) for name, value in facts])
    _write(book.add_worksheet("Lines"), _LINES, [_line(line) for line in document["lines"]])
    _write(book.add_worksheet("Nets"), _NETS, [_net(net) for net in document["nets"]])
    book.close()
    return out.getvalue()


def _write(sheet: Worksheet, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    sheet.freeze_panes(1, 0)
    for place, row in enumerate([columns, *rows]):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(place, column, value)
            else:
                sheet.write_number(place, column, value)


def _line(line: Mapping[str, Any]) -> list[object]:
    currency = line["currency"]
    values = {
        **line,
        "booked": decimal_text_fixed(line["booked_minor"], currency),
        "tax_class": line.get("tax", ""),
        "tax": decimal_text_fixed(line.get("tax_minor", 0), currency),
        "subject": line.get("subject", ""),
    }
    return [*(str(values[column]) for column in _LINES[:-1]), _number(line["booked_minor"], currency)]


def _net(net: Mapping[str, Any]) -> list[object]:
    currency = net["currency"]
    minor = [net.get(f"{name}_minor", 0) for name in ("billed", "reimbursed", "fees", "tax", "net")]
    return [currency, *(decimal_text_fixed(one, currency) for one in minor), _number(net["net_minor"], currency)]


def _number(minor: int, currency: str) -> Decimal:
    """For sums that people make in the sheet, which keeps 16 digits; the text beside it is the amount."""
    return major(minor, exponent_of(currency))
