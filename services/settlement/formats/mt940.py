"""MT940: the statement as older banks send it, by the `mt-940` package. What it cannot read is refused, not skipped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

import mt940

from services.settlement.domain.bank import AccountReport, BankFileUnreadable, Line, Paper
from services.settlement.formats.xml import minor
from shared.instants import micros

_FIRST_TAG = re.compile(rb"(?:^|\n|\{4:\s*)[ \t]*:20:")
_LINES = re.compile(r"^:61:", re.MULTILINE)
_SUBFIELD = re.compile(r"/(EREF|KREF|IBAN|NAME|REMI|RTRN|ORDP|BENM)/([^/]*)")
_NO_REFERENCE = {"", "NONREF", "NOTPROVIDED"}
_RETURNED = "RETURNED"


def looks_like_mt940(content: bytes) -> bool:
    """Whether a file is MT940: it is no XML and has a tag 20 near its beginning."""
    start = content[:4096].lstrip()
    return not start.startswith(b"<") and _FIRST_TAG.search(start) is not None


def mt940_reports(content: bytes) -> list[AccountReport]:
    """All statements of a file. Raises BankFileUnreadable, AmountInvalid."""
    try:
        written = content.decode("utf-8")
    except UnicodeDecodeError:
        written = content.decode("latin-1")
    try:
        statements = mt940.parse_statements(written)
    except Exception as wrong:
        raise BankFileUnreadable(what=f"it is no MT940 ({type(wrong).__name__})", where="the file") from None
    reports = [_report(one.data, [line.data for line in one]) for one in statements]
    if sum(len(report.lines) for report in reports) != len(_LINES.findall(written)):
        raise BankFileUnreadable(what="a line :61: could not be read", where="the file")
    return reports


def _report(data: Mapping[str, object], rows: list[Mapping[str, object]]) -> AccountReport:
    where = f"statement {data.get('transaction_reference', '?')}"
    opening = data.get("final_opening_balance") or data.get("intermediate_opening_balance")
    closing = data.get("final_closing_balance") or data.get("intermediate_closing_balance")
    if opening is None or closing is None:
        raise BankFileUnreadable(what="a statement needs its opening and its closing balance", where=where)
    account = str(data.get("account_identification") or "")
    if not account:
        raise BankFileUnreadable(what="tag 25, the account, is missing", where=where)
    currency = str(getattr(getattr(opening, "amount", None), "currency", ""))
    closes_on = _day(getattr(closing, "date", None), where)
    number = str(data.get("statement_number") or "")
    return AccountReport(
        paper=Paper.MT940,
        statement_id=str(data.get("transaction_reference") or number),
        said_at=micros(datetime.combine(closes_on, time(), UTC)),
        account=account.rpartition("/")[2].removesuffix(currency),
        currency=currency,
        sequence=int(number) if number.isdecimal() else None,
        opening_minor=_signed(opening, where)[0],
        closing_minor=_signed(closing, where)[0],
        closes_on=closes_on,
        lines=tuple(_line(row, at, where) for at, row in enumerate(rows, 1)),
    )


def _line(row: Mapping[str, object], number: int, where: str) -> Line:
    where = f"{where}, line {number}"
    value, currency = _signed(row, where)
    details = " ".join(str(row.get("transaction_details") or "").split())
    known = dict(_SUBFIELD.findall(details.replace(" /", "/")))
    customer = str(row.get("customer_reference") or "").strip()
    returned = str(row.get("status") or "").startswith("R")
    return Line(
        number=number,
        amount_minor=abs(value),
        currency=currency,
        is_credit=value > 0,
        booked_on=_day(row.get("entry_date") or row.get("date"), where),
        end_to_end_id=(known.get("EREF") or ("" if customer in _NO_REFERENCE else customer)).strip(),
        message_id=known.get("KREF", "").strip(),
        reference=(known.get("REMI") or details).strip(),
        counterparty_account=known.get("IBAN", "").strip(),
        counterparty_name=known.get("NAME", "").strip(),
        bank_reference=str(row.get("bank_reference") or "").strip(),
        return_code=known.get("RTRN", "").strip() or (_RETURNED if returned else ""),
    )


def _signed(holder: object, where: str) -> tuple[int, str]:
    found = holder.get("amount") if isinstance(holder, Mapping) else getattr(holder, "amount", None)
    number, currency = getattr(found, "amount", None), str(getattr(found, "currency", ""))
    if number is None:
        raise BankFileUnreadable(what="an amount is missing", where=where)
    value = minor(str(abs(number)), currency, where)
    return (-value if number < 0 else value), currency


def _day(found: object, where: str) -> date:
    if not isinstance(found, date):
        raise BankFileUnreadable(what="a day is missing", where=where)
    return date(found.year, found.month, found.day)
