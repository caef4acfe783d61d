"""A statement's renderings say what the signed document says, the same bytes each time, to the last unit."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from services.settlement.domain.statement import as_csv
from services.settlement.formats.statement_pdf import as_pdf
from services.settlement.formats.statement_xlsx import as_xlsx
from shared.canonical import canonical

_LINE: dict[str, Any] = {
    "booked_minor": 148148,
    "creditor": "operator",
    "currency": "EUR",
    "currency_exponent": 2,
    "debtor": "alpha",
    "entries_root": "00" * 32,
    "exact": "1481.484",
    "items": 1000,
    "late_items": 3,
    "leg": "ISSUANCE",
    "points": 123457,
    "points_after": 123457,
    "points_before": 0,
    "rate": "0.012",
    "rounding": "CUMULATIVE_HALF_EVEN",
}
DOCUMENT: dict[str, Any] = {
    "lines": [
        _LINE,
        {**_LINE, "tax": "DE 0.20", "tax_minor": 29630},
        {**_LINE, "currency": "JPY", "currency_exponent": 0, "booked_minor": 1000, "subject": "=2+3"},
        {**_LINE, "currency": "KWD", "currency_exponent": 3, "booked_minor": -(2**53 + 1)},
    ],
    "lines_root": "ab" * 32,
    "nets": [{"currency": "EUR", "billed_minor": 148148, "reimbursed_minor": 27000, "net_minor": -121148}],
    "partner": "alpha",
    "signature": {"key_id": "k1", "value": "cd" * 64},
    "to_checkpoint": {"created_at": 1772452800000000, "entry_count": 7, "number": 3, "root": "ef" * 32},
    "v": 1,
    "window": 7,
}


@pytest.mark.parametrize("rendered", [as_csv, as_xlsx, as_pdf])
def test_the_same_document_gives_the_same_bytes(rendered: Callable[[Mapping[str, object]], bytes]) -> None:
    again = json.loads(canonical(DOCUMENT))
    assert rendered(DOCUMENT) == rendered(again)


def test_the_workbook_has_exact_text_and_a_number_beside_it() -> None:
    book = load_workbook(io.BytesIO(as_xlsx(DOCUMENT)))
    header, *rows = book["Lines"].iter_rows(values_only=True)
    lines = [dict(zip(header, row, strict=True)) for row in rows]
    assert [line["booked"] for line in lines] == ["1481.48", "1481.48", "1000", "-9007199254740.993"]
    assert [line["tax"] for line in lines] == ["0.00", "296.30", "0", "0.000"]
    assert lines[0]["booked_number"] == 1481.48
    assert lines[2]["subject"] == "=2+3"
    assert book.properties.title == "Statement of alpha, window 7"


def test_no_cell_is_a_formula() -> None:
    book = load_workbook(io.BytesIO(as_xlsx(DOCUMENT)))
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_the_page_for_people_names_the_partner_the_window_and_every_amount() -> None:
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(as_pdf(DOCUMENT))).pages)
    for word in ("alpha, window 7", "1481.48", "296.30", "-9007199254740.993", "ab" * 32):
        assert word in text


def test_a_long_statement_runs_over_pages_and_loses_no_line() -> None:
    many = {**DOCUMENT, "lines": [{**_LINE, "points": 500_000 + at} for at in range(300)]}
    pages = PdfReader(io.BytesIO(as_pdf(many))).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert len(pages) > 3
    assert all(str(500_000 + at) in text for at in range(300))


def test_the_table_ends_with_its_count_and_its_sums() -> None:
    *_, last = as_csv(DOCUMENT).decode().splitlines()
    assert last == "END,4,3259.26 EUR,1000 JPY,-9007199254740.993 KWD"
