"""One statement of the bank with all payments of a batch on it: read, stored, matched, every payment booked."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from services.settlement.formats.bank_file import bank_file
from services.settlement.store.bank_files import import_file
from tests.load.settlement.figures import Figure
from tests.settlement.accounts import clearing
from tests.settlement.cashier import ANNA, Cashier
from tests.settlement.reconciling.papers import Said, statement
from tests.support.databases import Databases

_BATCH = 1
_PLAIN = """
SELECT batch, currency, count(*), sum(amount_minor) FROM (
    SELECT i.batch, l.currency, l.amount_minor FROM settlement.bank_lines l
    JOIN settlement.instructions i ON i.end_to_end_id = l.end_to_end_id
    UNION ALL SELECT i.batch, l.currency, l.amount_minor FROM settlement.bank_lines l
    JOIN settlement.instructions i ON i.reference = l.reference
) AS matched GROUP BY 1, 2
"""


def bank(databases: Databases, folder: Path, options: argparse.Namespace) -> Iterator[Figure]:
    """Pay-ins: of two, one is found by its EndToEndId, one by its structured reference."""
    cashier = Cashier(databases, folder)
    cashier.has(clearing())
    cashier.approved(_BATCH, {f"partner-{number}": -(100 + number) for number in range(options.lines)})
    cashier.release(_BATCH)
    paid = list(cashier.instructions(_BATCH).values())
    entries = [
        Said(one.amount_minor, reference=one.reference)
        if number % 2
        else Said(one.amount_minor, end_to_end_id=one.end_to_end_id)
        for number, one in enumerate(paid)
    ]
    content = statement(clearing().iban, cashier.clock.now().date(), entries)
    at = cashier.clock.now()
    began = time.perf_counter()
    file = bank_file(content)
    read = time.perf_counter() - began
    result = cashier.do(
        lambda connection: import_file(connection, content, "statement", file, ANNA, at, cashier.follow)
    )
    took = time.perf_counter() - began
    if result.matched != len(paid) or set(cashier.states(_BATCH).values()) != {"BOOKED"}:
        raise RuntimeError(f"{result.matched} of {len(paid)} lines were matched")
    began = time.perf_counter()
    cashier.rows(_PLAIN)
    plain = time.perf_counter() - began
    size = f"{options.lines:,} lines, {len(content) / 2**20:.1f} MiB"
    cashier.leave()
    yield Figure("read a bank statement", size, read, "s")
    yield Figure("read, store and match it", size, took, "s", goal=60, plain_seconds=plain)
