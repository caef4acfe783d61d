"""One file of a bank, whichever paper it is: its own content says so, never its name."""

from __future__ import annotations

from typing import NamedTuple

from services.settlement.domain.bank import BankFileUnreadable, BankMessage, Paper
from services.settlement.formats.account_report import account_reports
from services.settlement.formats.mt940 import looks_like_mt940, mt940_reports
from services.settlement.formats.return_notice import return_notice
from services.settlement.formats.status_report import status_report
from services.settlement.formats.xml import document, standard_of


class BankFile(NamedTuple):
    """What was in a file."""

    paper: Paper
    messages: tuple[BankMessage, ...]


def bank_file(content: bytes) -> BankFile:
    """Raises BankFileUnreadable, AmountInvalid: a file is read whole or not at all."""
    if looks_like_mt940(content):
        return BankFile(Paper.MT940, tuple(mt940_reports(content)))
    root = document(content)
    standard = standard_of(root)
    try:
        paper = Paper(".".join(standard.split(".")[:2]))
    except ValueError:
        raise BankFileUnreadable(
            what=f"{standard[:40] or 'no ISO 20022 message'!r} is none that is read here "
            f"({', '.join(one.value for one in Paper)})",
            where="the first element",
        ) from None
    if paper is Paper.PAIN_002:
        return BankFile(paper, (status_report(root),))
    if paper is Paper.PACS_004:
        return BankFile(paper, (return_notice(root),))
    return BankFile(paper, tuple(account_reports(root, paper)))
