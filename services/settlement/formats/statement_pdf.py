"""A statement for people to read: a rendering of the JSON, which alone is signed. Same document, same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from services.settlement.domain.statement import decimal_text_fixed
from shared.instants import instant

_STYLE = TableStyle(
    [
        ("FONTSIZE", (0, 0), (-1, -1), 7),
        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.whitesmoke]),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
    ]
)
_LINES = ("Leg", "From", "To", "Rate", "Points", "Items", "Late", "Exact", "Booked", "Tax", "Currency", "Subject")
_NETS = ("Currency", "Billed", "Reimbursed", "Fees", "Tax", "Net")


def as_pdf(document: Mapping[str, Any]) -> bytes:
    """A4, landscape. Nothing in it comes from a clock."""
    out = io.BytesIO()
    title = f"Statement of {document['partner']}, window {document['window']}"
    paper = SimpleDocTemplate(
        out, pagesize=landscape(A4), invariant=1, title=title, author="Coalition", pageCompression=1
    )
    styles, closing = getSampleStyleSheet(), document["to_checkpoint"]
    closes = instant(closing["created_at"]).strftime("%Y-%m-%d %H:%M:%S UTC")
    words = [
        f"Closed at checkpoint {closing['number']}, {closes}.",
        f"Root of the lines: {document['lines_root']}.",
        f"Signed with the key {document['signature']['key_id']}. The JSON form is the statement; this page shows it.",
    ]
    paper.build(
        [
            Paragraph(escape(title), styles["Title"]),
            *(Paragraph(escape(word), styles["BodyText"]) for word in words),
            Spacer(1, 8),
            _table(_NETS, [_net(net) for net in document["nets"]]),
            Spacer(1, 8),
            _table(_LINES, [_line(line) for line in document["lines"]]),
        ]
    )
    return out.getvalue()


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> LongTable:
    return LongTable([columns, *rows], repeatRows=1, style=_STYLE, hAlign="LEFT")


def _line(line: Mapping[str, Any]) -> list[str]:
    currency = line["currency"]
    return [
        line["leg"],
        line["debtor"],
        line["creditor"],
        line["rate"],
        str(line["points"]),
        str(line["items"]),
        str(line["late_items"]),
        line["exact"],
        decimal_text_fixed(line["booked_minor"], currency),
        decimal_text_fixed(line.get("tax_minor", 0), currency),
        currency,
        line.get("subject", "")[:40],
    ]


def _net(net: Mapping[str, Any]) -> list[str]:
    currency = net["currency"]
    minor = [net.get(f"{name}_minor", 0) for name in ("billed", "reimbursed", "fees", "tax", "net")]
    return [currency, *(decimal_text_fixed(one, currency) for one in minor)]
