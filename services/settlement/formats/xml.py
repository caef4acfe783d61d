"""Reading a bank's XML: no entities, no network, and each complaint names the element."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from lxml import etree

from services.settlement.domain.bank import AmountInvalid, BankFileUnreadable
from shared.instants import micros
from shared.money import UnknownCurrency, exponent_of

Element = etree._Element
_MOST_BYTES = 256 * 1024 * 1024
_PROLOGUE = 4096


def document(content: bytes) -> Element:
    """The root of an ISO 20022 document. Raises BankFileUnreadable."""
    if len(content) > _MOST_BYTES:
        raise BankFileUnreadable(what=f"it has {len(content)} bytes", where="the file")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as wrong:
        raise BankFileUnreadable(what="it is not XML", where=f"line {wrong.lineno or 1}") from None
    if b"<!DOCTYPE" in content[:_PROLOGUE]:
        raise BankFileUnreadable(what="it has a DTD", where="line 1")
    return root


def standard_of(root: Element) -> str:
    """The message a document is, by its namespace: `camt.053.001.08`."""
    space = etree.QName(root).namespace or ""
    return space.rpartition(":")[2]


def path_to(element: Element) -> str:
    """Where an element stands, for a complaint."""
    names = [etree.QName(one).localname for one in element.iterancestors()]
    return "/" + "/".join([*reversed(names), etree.QName(element).localname])


def find(element: Element, path: str) -> Element | None:
    """The first element on a path of local names; they are in whatever namespace the document is in."""
    found: Element | None = element
    for name in path.split("/"):
        if found is None:
            return None
        found = found.find("{*}" + name)
    return found


def every(element: Element, path: str) -> list[Element]:
    """All elements on a path of local names."""
    return element.findall("/".join("{*}" + name for name in path.split("/")))


def text(element: Element, path: str) -> str:
    """The text on a path, "" when there is none."""
    found = find(element, path)
    return (found.text or "").strip() if found is not None else ""


def needed(element: Element, path: str) -> str:
    """The text on a path. Raises BankFileUnreadable when it is not there."""
    found = text(element, path)
    if not found:
        raise BankFileUnreadable(what=f"{path} is missing", where=path_to(element))
    return found


def amount(element: Element, path: str) -> tuple[int, str]:
    """An amount as whole minor units, and its currency. Zero is an amount; what is below is none."""
    found = find(element, path)
    if found is None:
        raise BankFileUnreadable(what=f"{path} is missing", where=path_to(element))
    currency = found.get("Ccy", "")
    return minor((found.text or "").strip(), currency, path_to(found)), currency


def minor(value: str, currency: str, where: str) -> int:
    """Decimal text as whole minor units of a currency: nothing is rounded away. Raises AmountInvalid."""
    try:
        exact = Decimal(value).scaleb(exponent_of(currency))
    except (InvalidOperation, UnknownCurrency):
        raise AmountInvalid(amount=value[:40], currency=currency[:8] or "no currency", where=where) from None
    if not exact.is_finite() or exact < 0 or exact != exact.to_integral_value() or exact >= 10**18:
        raise AmountInvalid(amount=value[:40], currency=currency, where=where)
    return int(exact)


def instant(element: Element, path: str) -> int:
    """A moment in microseconds; one without a zone is taken as UTC."""
    value = needed(element, path)
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise BankFileUnreadable(what=f"{value[:40]!r} is no moment", where=path_to(element)) from None
    return micros(at if at.tzinfo else at.replace(tzinfo=UTC))


def day(element: Element, path: str) -> date:
    """A day, written as a day or as a moment: `Dt/Dt`, or `Dt/DtTm` of which the day is taken as written."""
    value = text(element, f"{path}/Dt") or text(element, f"{path}/DtTm")
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise BankFileUnreadable(what=f"{path} is no day", where=path_to(element)) from None
