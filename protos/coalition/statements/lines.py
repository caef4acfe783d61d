"""The arithmetic of a statement: each line's price, rounding and tax, and the nets. Standard library only."""

from __future__ import annotations

import re
from collections import defaultdict
from fractions import Fraction
from typing import Any

Document = dict[str, Any]
OPERATOR = "operator"

_KEYS = {
    "booked_minor": int,
    "creditor": str,
    "currency": str,
    "currency_exponent": int,
    "debtor": str,
    "entries_root": str,
    "exact": str,
    "items": int,
    "late_items": int,
    "leg": str,
    "points": int,
    "points_after": int,
    "points_before": int,
    "rate": str,
    "rounding": str,
}
_MORE_KEYS = {"fees": str, "subject": str, "tax": str, "tax_minor": int}
# Who owes whom for a leg: P a partner, O the operator, X either.
_SIDES = {
    "ISSUANCE": "PO",
    "REDEMPTION": "PX",
    "REIMBURSEMENT": "OP",
    "BREAKAGE": "OP",
    "PREPAID": "PO",
    "COVER": "OP",
    "FEE": "PO",
}
_MONEY = ("PERCENT ", "MINIMUM ", "AMOUNT ")  # subjects of lines that count minor units instead of points
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_MOST_DECIMALS = 4  # no currency of ISO 4217 has more
_HALF = Fraction(1, 2)


class NotVerified(Exception):
    """The document, or proof, cannot be believed. `where` is the first place that is wrong: a line, a signature."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


def check_lines(lines: list[Document], partner: str) -> None:
    """Every line by itself, then what its lines must add up to. Raises NotVerified."""
    for number, line in enumerate(lines, start=1):
        _check_line(f"line {number}", line, partner)
    names = [("leg", "currency", "rate", "rounding", "debtor", "creditor", "tax", "subject", "fees")]
    kinds = [tuple(line.get(name, "") for name in names[0]) for line in lines]
    if len(set(kinds)) != len(kinds):
        raise NotVerified("lines", "two of them are for the same thing")
    _check_totals(lines, partner)


def check_nets(nets: list[Document], lines: list[Document], partner: str) -> dict[str, str]:
    """The nets by currency, in major units, when they are what the lines add up to. Raises NotVerified."""
    found = {net["currency"]: net for net in nets}
    exponents = {line["currency"]: line["currency_exponent"] for line in lines}
    if len(found) != len(nets) or not exponents.keys() <= found.keys():
        raise NotVerified("nets", "there is not exactly one net for each currency")
    for currency, net in found.items():
        billed, reimbursed, fees, tax = _sums([line for line in lines if line["currency"] == currency], partner)
        if (net["billed_minor"], net["reimbursed_minor"]) != (billed, reimbursed):
            raise NotVerified(f"net {currency}", "it is not the sum of the lines")
        if (net.get("fees_minor", 0), net.get("tax_minor", 0)) != (fees, tax):
            raise NotVerified(f"net {currency}", "its fees or its tax are not those of the lines")
        if net["net_minor"] != reimbursed - billed - fees + tax:
            raise NotVerified(f"net {currency}", "it is not reimbursed less billed, less fees, with the tax")
    return {currency: major(net["net_minor"], exponents.get(currency, 2)) for currency, net in found.items()}


def major(minor: int, exponent: int) -> str:
    """Minor units as a decimal of major units."""
    sign, digits = "-" if minor < 0 else "", str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


def rounded(exact: Fraction, rule: str) -> int:
    """An exact number of minor units as a whole one, as the rule says."""
    if rule.endswith("_HALF_EVEN"):
        return round(exact)
    if rule.endswith("_HALF_UP"):
        return (-1 if exact < 0 else 1) * int(abs(exact) + _HALF)
    raise ValueError(f"{rule!r} is no rounding rule")


def _check_line(where: str, line: Document, partner: str) -> None:
    for key, kind in {**_KEYS, **{key: kind for key, kind in _MORE_KEYS.items() if key in line}}.items():
        if type(line.get(key)) is not kind:
            raise NotVerified(where, f"its {key} is missing or not a {kind.__name__}")
    where = f"{where} ({line['leg']} at {line['rate']} {line['currency']})"
    if not line.keys() <= _KEYS.keys() | _MORE_KEYS.keys():
        raise NotVerified(where, "it says something that a line cannot say")
    if not _fits(line["leg"], line["debtor"], line["creditor"]) or partner not in (line["debtor"], line["creditor"]):
        raise NotVerified(where, "its debtor and creditor do not fit its leg")
    if line["points_before"] + line["points"] != line["points_after"]:
        raise NotVerified(where, "points_before + points is not points_after")
    if not 0 <= line["currency_exponent"] <= _MOST_DECIMALS:
        raise NotVerified(where, "its currency has no such number of decimals")
    if not 0 <= line["late_items"] <= line["items"]:
        raise NotVerified(where, "more of its items are late than there are")
    if _exact(line, line["points"]) != _decimal(line["exact"]) * 10 ** line["currency_exponent"]:
        raise NotVerified(where, "points x rate is not its exact amount")
    _check_booked(where, line)
    _check_tax(where, line)


def _fits(leg: str, debtor: str, creditor: str) -> bool:
    return leg in _SIDES and all(
        wanted == "X" or (wanted == "O") == (side == OPERATOR)
        for wanted, side in zip(_SIDES[leg], (debtor, creditor), strict=True)
    )


def _check_booked(where: str, line: Document) -> None:
    if line["rounding"].startswith("CUMULATIVE_"):
        after, before = _exact(line, line["points_after"]), _exact(line, line["points_before"])
        booked = rounded(after, line["rounding"]) - rounded(before, line["rounding"])
        if booked != line["booked_minor"]:
            raise NotVerified(where, f"it books {line['booked_minor']}, rounding gives {booked}")
    elif not 0 <= line["booked_minor"] - _exact(line, line["points"]) // 1 <= 1:
        raise NotVerified(where, f"it books {line['booked_minor']}, which is not its floor nor one more")


def _check_tax(where: str, line: Document) -> None:
    treatment, _, rest = line.get("tax", "").partition(":")
    rate = _decimal(rest.rpartition(":")[2]) if treatment == "TAXABLE_SERVICE" else Fraction(0)
    tax = rounded(rate * line["booked_minor"], "TAX_HALF_UP")
    if line.get("tax_minor", 0) != tax:
        raise NotVerified(where, f"its tax is {line.get('tax_minor', 0)}, its class gives {tax}")


def _check_totals(lines: list[Document], partner: str) -> None:
    """What the partner owes under largest remainder is rounded as a whole, and all of that is in its statement."""
    groups: dict[tuple[str, str, str], list[Document]] = defaultdict(list)
    for line in lines:
        if line["debtor"] == partner and line["rounding"].startswith("LARGEST_REMAINDER_"):
            groups[line["leg"], line["currency"], line["rounding"]].append(line)
    for (leg, currency, rule), group in groups.items():
        total = rounded(sum((_exact(line, line["points"]) for line in group), Fraction(0)), rule)
        booked = sum(line["booked_minor"] for line in group)
        if booked != total:
            raise NotVerified(f"lines ({leg} in {currency})", f"they book {booked} together, rounding gives {total}")


def _sums(lines: list[Document], partner: str) -> tuple[int, int, int, int]:
    """Billed, reimbursed, fees, and the tax that the partner gets less the one that it pays."""
    billed = reimbursed = fees = tax = 0
    for line in lines:
        minor, tax_minor, is_fee = line["booked_minor"], line.get("tax_minor", 0), line["leg"] == "FEE"
        if line["debtor"] == partner:
            fees, billed = (fees + minor, billed) if is_fee else (fees, billed + minor)
            tax -= tax_minor
        if line["creditor"] == partner:
            reimbursed += minor
            tax += tax_minor
    return billed, reimbursed, fees, tax


def _exact(line: Document, quantity: int) -> Fraction:
    """What a quantity of a line comes to, in minor units."""
    counts_money = line.get("subject", "").startswith(_MONEY)
    return _decimal(line["rate"]) * quantity * (1 if counts_money else 10 ** line["currency_exponent"])


def _decimal(text: str) -> Fraction:
    """An exact decimal: digits, perhaps a point, perhaps a sign."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{text!r} is not a decimal")
    return Fraction(text)
