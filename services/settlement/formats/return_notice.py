"""pacs.004: payments that came back."""

from __future__ import annotations

from datetime import date

from services.settlement.domain.bank import BankFileUnreadable, Return, ReturnNotice
from services.settlement.formats.xml import Element, amount, every, find, instant, needed, path_to, text


def return_notice(root: Element) -> ReturnNotice:
    """Raises BankFileUnreadable, AmountInvalid."""
    notice = find(root, "PmtRtr")
    if notice is None:
        raise BankFileUnreadable(what="PmtRtr is missing", where=path_to(root))
    return ReturnNotice(
        message_id=needed(notice, "GrpHdr/MsgId"),
        said_at=instant(notice, "GrpHdr/CreDtTm"),
        original_message_id=text(notice, "OrgnlGrpInf/OrgnlMsgId"),
        returns=tuple(_return(one, notice) for one in every(notice, "TxInf")),
    )


def _return(element: Element, notice: Element) -> Return:
    value, currency = amount(element, "RtrdIntrBkSttlmAmt")
    day = text(element, "IntrBkSttlmDt") or needed(notice, "GrpHdr/IntrBkSttlmDt")
    try:
        returned_on = date.fromisoformat(day)
    except ValueError:
        raise BankFileUnreadable(what=f"{day[:40]!r} is no day", where=path_to(element)) from None
    return Return(
        needed(element, "OrgnlEndToEndId"),
        value,
        currency,
        text(element, "RtrRsnInf/Rsn/Cd") or "RETURNED",
        returned_on,
    )
