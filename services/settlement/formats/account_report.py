"""camt.052, camt.053, camt.054: the entries of an account, announced or stated."""

from __future__ import annotations

from services.settlement.domain.bank import AccountReport, AmountInvalid, BankFileUnreadable, Line, Paper
from services.settlement.formats.xml import Element, amount, day, every, find, instant, minor, needed, path_to, text

_OPENING = ("OPBD", "PRCD")
_CLOSING = ("CLBD", "ITBD")
_PARTS = {
    Paper.CAMT_052: "BkToCstmrAcctRpt/Rpt",
    Paper.CAMT_053: "BkToCstmrStmt/Stmt",
    Paper.CAMT_054: "BkToCstmrDbtCdtNtfctn/Ntfctn",
}
_BOOKED = {"BOOK", ""}
NO_ID = "NOTPROVIDED"


def account_reports(root: Element, paper: Paper) -> list[AccountReport]:
    """All reports of a file, in its order. Raises BankFileUnreadable, AmountInvalid."""
    found = [_report(one, paper) for one in every(root, _PARTS[paper])]
    if not found:
        raise BankFileUnreadable(what=f"{_PARTS[paper]} is missing", where=path_to(root))
    return found


def _report(report: Element, paper: Paper) -> AccountReport:
    currency = text(report, "Acct/Ccy")
    opening, closing = _balance(report, _OPENING), _balance(report, _CLOSING)
    if paper.is_statement and (opening is None or closing is None):
        raise BankFileUnreadable(what="a statement needs its opening and its closing balance", where=path_to(report))
    lines: list[Line] = []
    for entry in every(report, "Ntry"):
        if (text(entry, "Sts/Cd") or text(entry, "Sts")) in _BOOKED:
            lines.extend(_lines(entry, len(lines)))
    sequence = text(report, "ElctrncSeqNb") or text(report, "LglSeqNb")
    return AccountReport(
        paper=paper,
        statement_id=needed(report, "Id"),
        said_at=instant(report, "CreDtTm"),
        account=text(report, "Acct/Id/IBAN") or needed(report, "Acct/Id/Othr/Id"),
        currency=currency or (lines[0].currency if lines else closing[1] if closing else ""),
        sequence=int(sequence) if sequence.isdecimal() else None,
        opening_minor=opening[0] if opening else None,
        closing_minor=closing[0] if closing else None,
        closes_on=day(closing[2], "Dt") if closing else None,
        lines=tuple(lines),
    )


def _balance(report: Element, codes: tuple[str, ...]) -> tuple[int, str, Element] | None:
    """The first balance of the first of the codes that is there, signed."""
    balances = {text(one, "Tp/CdOrPrtry/Cd"): one for one in every(report, "Bal")}
    for code in codes:
        if code in balances:
            found = balances[code]
            value, currency = amount(found, "Amt")
            return (value if _is_credit(found) else -value), currency, found
    return None


def _lines(entry: Element, before: int) -> list[Line]:
    """One line for each payment of an entry; one for the whole entry when the bank booked a file as one sum."""
    whole, currency = amount(entry, "Amt")
    if not whole:
        raise AmountInvalid(amount="0", currency=currency, where=path_to(entry))
    details = every(entry, "NtryDtls/TxDtls")
    if len(details) < 2:
        return [_line(entry, details[0] if details else None, before + 1, whole, currency)]
    lines = [_line(entry, detail, before + at, *_part(detail, currency)) for at, detail in enumerate(details, 1)]
    if sum(line.amount_minor if line.is_credit else -line.amount_minor for line in lines) != (
        whole if _is_credit(entry) else -whole
    ):
        raise BankFileUnreadable(what="an entry's payments do not add up to it", where=path_to(entry))
    return lines


def _part(detail: Element, currency: str) -> tuple[int, str]:
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        found = find(detail, path)
        if found is not None:
            return minor((found.text or "").strip(), found.get("Ccy", currency), path_to(found)), found.get(
                "Ccy", currency
            )
    raise BankFileUnreadable(what="a payment of an entry has no amount", where=path_to(detail))


def _line(entry: Element, detail: Element | None, number: int, amount_minor: int, currency: str) -> Line:
    one = entry if detail is None else detail
    is_credit = _is_credit(one if detail is not None and find(one, "CdtDbtInd") is not None else entry)
    code = text(one, "RtrInf/Rsn/Cd") or ("RETURNED" if find(one, "RtrInf") is not None else "")
    # Money that came back names the parties of the payment that it was.
    other = "Cdtr" if is_credit == bool(code) else "Dbtr"
    end_to_end_id = text(one, "Refs/EndToEndId")
    return Line(
        number=number,
        amount_minor=amount_minor,
        currency=currency,
        is_credit=is_credit,
        booked_on=day(entry, "BookgDt"),
        end_to_end_id="" if end_to_end_id == NO_ID else end_to_end_id,
        message_id=text(one, "Refs/MsgId"),
        reference=text(one, "RmtInf/Strd/CdtrRefInf/Ref") or " ".join(_texts(one, "RmtInf/Ustrd")),
        counterparty_account=text(one, f"RltdPties/{other}Acct/Id/IBAN"),
        counterparty_name=text(one, f"RltdPties/{other}/Pty/Nm") or text(one, f"RltdPties/{other}/Nm"),
        bank_reference=text(entry, "AcctSvcrRef"),
        return_code=code,
    )


def _texts(element: Element, path: str) -> list[str]:
    return [(found.text or "").strip() for found in every(element, path)]


def _is_credit(element: Element) -> bool:
    word = needed(element, "CdtDbtInd")
    if word not in {"CRDT", "DBIT"}:
        raise BankFileUnreadable(what=f"{word[:20]!r} is neither CRDT nor DBIT", where=path_to(element))
    return word == "CRDT"
