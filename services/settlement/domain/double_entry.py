"""The books in double entry: every line, tax, conversion and bank line as a debit and a credit of the same amount.

Derived from what is stored, never kept beside it: the same rows give the same books. Accounts are `partner/{id}` (what
is owed between it and the clearing), `operator`, `tax`, `fx`, `clearing` (the bank account) and `suspense`.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from services.settlement.domain.legs import OPERATOR
from services.settlement.domain.lines import Line
from shared.money import exponent_of, major

TAX, FX, CLEARING, SUSPENSE = "tax", "fx", "clearing", "suspense"
_COLUMNS = ("number", "day", "subject", "debit", "credit", "currency", "amount")


class BookEntry(NamedTuple):
    """One movement. The amount is in minor units and positive."""

    day: date
    subject: str
    debit: str
    credit: str
    currency: str
    amount_minor: int


def of_line(line: Line, day: date, subject: str) -> list[BookEntry]:
    """What a booked line moves: its debtor owes its creditor, and the tax on it the tax account or the partner."""
    key = line.key
    moves = [(_side(key.debtor, OPERATOR), _side(key.creditor, OPERATOR), line.booked_minor)]
    moves.append((_side(key.debtor, TAX), _side(key.creditor, TAX), line.tax_minor))
    return [
        entry for debit, credit, minor in moves for entry in moved(day, subject, debit, credit, key.currency, minor)
    ]


def of_conversion(
    day: date, subject: str, partner: str, out: tuple[str, int], into: tuple[str, int]
) -> list[BookEntry]:
    """A net that leaves one currency and arrives in another: the exchange account takes the opposite in both."""
    account = _side(partner, OPERATOR)
    return [
        *moved(day, subject, account, FX, *out),
        *moved(day, subject, FX, account, *into),
    ]


def of_bank_line(day: date, subject: str, account: str, currency: str, signed_minor: int) -> list[BookEntry]:
    """Money that came to the clearing account (positive) or left it."""
    return moved(day, subject, CLEARING, account, currency, signed_minor)


def of_prefunding(day: date, subject: str, currency: str, minor: int) -> list[BookEntry]:
    """The operator's own money: its line of the bank is nobody's payment, so it stands on `suspense` until here."""
    return moved(day, subject, SUSPENSE, OPERATOR, currency, minor)


def moved(day: date, subject: str, debit: str, credit: str, currency: str, minor: int) -> list[BookEntry]:
    """A movement; a negative amount goes the other way, nothing leaves nothing."""
    if not minor or debit == credit:
        return []
    if minor < 0:
        debit, credit = credit, debit
    return [BookEntry(day, subject, debit, credit, currency, abs(minor))]


def balances(entries: Iterable[BookEntry]) -> dict[tuple[str, str], int]:
    """What stands on each account and currency: debits less credits, minor units. They add up to zero."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        sums[entry.debit, entry.currency] += entry.amount_minor
        sums[entry.credit, entry.currency] -= entry.amount_minor
    return dict(sums)


def as_csv(entries: Iterable[BookEntry], mapping: Mapping[str, str]) -> bytes:
    """Fixed columns, LF, and the trailer END, count, sum per currency. `mapping` gives accounts their codes in the
    general ledger: by the whole name, or, as `partner/*`, for all partners."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    count, sums = 0, dict[str, int]()
    for count, entry in enumerate(entries, start=1):
        amount = format(major(entry.amount_minor, exponent_of(entry.currency)), "f")
        accounts = (_coded(entry.debit, mapping), _coded(entry.credit, mapping))
        writer.writerow([count, entry.day.isoformat(), entry.subject, *accounts, entry.currency, amount])
        sums[entry.currency] = sums.get(entry.currency, 0) + entry.amount_minor
    totals = [f"{format(major(sums[one], exponent_of(one)), 'f')} {one}" for one in sorted(sums)]
    writer.writerow(["END", count, *totals])
    return out.getvalue().encode()


def _coded(account: str, mapping: Mapping[str, str]) -> str:
    folder, _, _ = account.partition("/")
    return mapping.get(account) or mapping.get(f"{folder}/*") or account


def _side(participant: str, operator: str) -> str:
    return operator if participant == OPERATOR else f"partner/{participant}"
