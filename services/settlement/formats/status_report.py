"""pain.002: the bank's answer to one of our files."""

from __future__ import annotations

from services.settlement.domain.bank import Answer, BankFileUnreadable, StatusReport
from services.settlement.formats.xml import Element, every, find, instant, needed, path_to, text

_GROUP = "OrgnlGrpInfAndSts"


def status_report(root: Element) -> StatusReport:
    """Raises BankFileUnreadable."""
    report = find(root, "CstmrPmtStsRpt")
    if report is None:
        raise BankFileUnreadable(what="CstmrPmtStsRpt is missing", where=path_to(root))
    answers = [_answer(one) for one in every(report, "OrgnlPmtInfAndSts/TxInfAndSts")]
    status = text(report, f"{_GROUP}/GrpSts")
    batches = every(report, "OrgnlPmtInfAndSts")
    if not status and not answers and batches:  # some banks answer per batch only, and each file of ours has one
        status = text(batches[0], "PmtInfSts")
    return StatusReport(
        message_id=needed(report, "GrpHdr/MsgId"),
        said_at=instant(report, "GrpHdr/CreDtTm"),
        original_message_id=needed(report, f"{_GROUP}/OrgnlMsgId"),
        status=status,
        code=text(report, f"{_GROUP}/StsRsnInf/Rsn/Cd"),
        answers=tuple(answers),
    )


def _answer(element: Element) -> Answer:
    return Answer(needed(element, "OrgnlEndToEndId"), needed(element, "TxSts"), text(element, "StsRsnInf/Rsn/Cd"))
