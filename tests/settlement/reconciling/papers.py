"""The bank's papers, written for tests: a camt.053, a camt.054, a pain.002, a pacs.004 that say what a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.money import decimal_text, exponent_of, major

FUNDS = 10**9
"""What the operator has on an account before the first payment, minor units."""
_ISO = "urn:iso:std:iso:20022:tech:xsd:"


@dataclass(frozen=True)
class Said:
    """One entry: minor units, negative when it left the account."""

    minor: int
    end_to_end_id: str = ""
    reference: str = ""
    account: str = ""
    message_id: str = ""
    returned: str = ""
    currency: str = "EUR"


def money(minor: int, currency: str = "EUR") -> str:
    return decimal_text(major(abs(minor), exponent_of(currency)))


def statement(
    account: str,
    day: date,
    entries: Sequence[Said],
    *,
    number: int = 1,
    opening: int = FUNDS,
    closing: int | None = None,
    currency: str = "EUR",
    note: str = "",
) -> bytes:
    """A camt.053 whose balances add up unless `closing` says otherwise."""
    end = opening + sum(one.minor for one in entries) if closing is None else closing
    balances = _balance("OPBD", opening, day, currency) + _balance("CLBD", end, day, currency)
    body = "".join(_entry(one, day) for one in entries)
    return _document(
        "camt.053.001.08",
        f"<BkToCstmrStmt><GrpHdr><MsgId>S{number}{note}</MsgId><CreDtTm>{day}T18:00:00Z</CreDtTm></GrpHdr><Stmt>"
        f"<Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>{day}T18:00:00Z</CreDtTm>"
        f"<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{balances}{body}</Stmt></BkToCstmrStmt>",
    )


def announcement(account: str, day: date, entries: Sequence[Said], *, number: int = 1) -> bytes:
    """A camt.054."""
    body = "".join(_entry(one, day) for one in entries)
    return _document(
        "camt.054.001.08",
        f"<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N{number}</MsgId><CreDtTm>{day}T12:00:00Z</CreDtTm></GrpHdr><Ntfctn>"
        f"<Id>N{number}</Id><CreDtTm>{day}T12:00:00Z</CreDtTm><Acct><Id><IBAN>{account}</IBAN></Id></Acct>{body}"
        "</Ntfctn></BkToCstmrDbtCdtNtfctn>",
    )


def answer(
    file: str,
    status: str,
    at: datetime,
    *,
    code: str = "",
    payments: Sequence[tuple[str, str, str]] = (),
    note: str = "",
) -> bytes:
    """A pain.002: the file's status, and (EndToEndId, status, code) of single payments."""
    reason = f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""
    rows = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status_}</TxSts>"
        + (f"<StsRsnInf><Rsn><Cd>{code_}</Cd></Rsn></StsRsnInf>" if code_ else "")
        + "</TxInfAndSts>"
        for name, status_, code_ in payments
    )
    batch = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId>{rows}</OrgnlPmtInfAndSts>" if rows else ""
    return _document(
        "pain.002.001.10",
        f"<CstmrPmtStsRpt><GrpHdr><MsgId>A{note}</MsgId><CreDtTm>{at.isoformat()}</CreDtTm></GrpHdr><OrgnlGrpInfAndSts>"
        f"<OrgnlMsgId>{file}</OrgnlMsgId><GrpSts>{status}</GrpSts>{reason}</OrgnlGrpInfAndSts>{batch}</CstmrPmtStsRpt>",
    )


def returned(name: str, minor: int, day: date, *, code: str = "AC04", currency: str = "EUR") -> bytes:
    """A pacs.004 for one payment."""
    amount = f'<RtrdIntrBkSttlmAmt Ccy="{currency}">{money(minor, currency)}</RtrdIntrBkSttlmAmt>'
    return _document(
        "pacs.004.001.09",
        f"<PmtRtr><GrpHdr><MsgId>R</MsgId><CreDtTm>{day}T09:00:00Z</CreDtTm></GrpHdr><TxInf>"
        f"<OrgnlEndToEndId>{name}</OrgnlEndToEndId>{amount}<IntrBkSttlmDt>{day}</IntrBkSttlmDt>"
        f"<RtrRsnInf><Rsn><Cd>{code}</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>",
    )


def _document(name: str, body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{_ISO}{name}">{body}</Document>'.encode()


def _balance(code: str, minor: int, day: date, currency: str) -> str:
    way = "CRDT" if minor >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{money(minor, currency)}</Amt>'
        f"<CdtDbtInd>{way}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _entry(one: Said, day: date) -> str:
    way = "CRDT" if one.minor > 0 else "DBIT"
    other = "Cdtr" if (one.minor > 0) == bool(one.returned) else "Dbtr"
    party = (
        f"<RltdPties><{other}Acct><Id><IBAN>{one.account}</IBAN></Id></{other}Acct></RltdPties>" if one.account else ""
    )
    reference = (
        f"<RmtInf><Strd><CdtrRefInf><Ref>{one.reference}</Ref></CdtrRefInf></Strd></RmtInf>" if one.reference else ""
    )
    back = f"<RtrInf><Rsn><Cd>{one.returned}</Cd></Rsn></RtrInf>" if one.returned else ""
    ids = (f"<MsgId>{one.message_id}</MsgId>" if one.message_id else "") + (
        f"<EndToEndId>{one.end_to_end_id}</EndToEndId>" if one.end_to_end_id else ""
    )
    refs = f"<Refs>{ids}</Refs>" if ids else ""
    return (
        f'<Ntry><Amt Ccy="{one.currency}">{money(one.minor, one.currency)}</Amt><CdtDbtInd>{way}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<NtryDtls><TxDtls>{refs}{party}{reference}{back}</TxDtls></NtryDtls></Ntry>"
    )
