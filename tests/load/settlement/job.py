"""The whole job on a closed window: statements signed and shown in every format, nets, payment files, one batch."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator

from services.settlement.domain.statement import as_csv
from services.settlement.formats.statement_pdf import as_pdf
from services.settlement.formats.statement_xlsx import as_xlsx
from services.settlement.store import statements
from tests.load.settlement.books import Books
from tests.load.settlement.figures import Figure
from tests.load.settlement.memory import Peak


def job(books: Books, options: argparse.Namespace) -> Iterator[Figure]:
    """Of the newest closed window, whose close has been measured. Accounts are entered beforehand."""
    books.open_accounts()
    ((number,),) = books.rows("SELECT max(number) FROM settlement.windows WHERE state = 'CLOSED'")
    assert isinstance(number, int)
    size = f"{options.entries:,} entries, {len(books.partners)} partners"
    seconds: dict[str, float] = {}
    with Peak(books.postmaster) as peak:
        began = time.perf_counter()
        if books.signing.sign_next(books.clock.now()) != number:
            raise RuntimeError(f"the statements of windows/{number} were not the next ones to sign")
        seconds["sign the statements"] = time.perf_counter() - began
        began = time.perf_counter()
        shown = sum(_shown(books, partner, number) for partner in books.partners)
        seconds["show them as CSV, XLSX and PDF"] = time.perf_counter() - began
        began = time.perf_counter()
        batch = books.calculate(books.create(number))
        seconds["nets, instructions, payment files"] = time.perf_counter() - began
    written, paid = len(books.rows("SELECT 1 FROM settlement.payment_files")), len(books.instructions(batch.number))
    if shown != 3 * len(books.partners) or not written or not paid:
        raise RuntimeError(f"{shown} papers, {written} files, {paid} instructions")
    for what, took in seconds.items():
        yield Figure(what, size, took, "s")
    plain = books.plainly(number)
    yield Figure("the whole job", size, sum(seconds.values()), "s", goal=120, plain_seconds=plain)
    yield Figure("its memory: Python", size, peak.own_mib, "MiB")
    yield Figure("its memory: with PostgreSQL", size, peak.mib, "MiB", goal=2048)


def _shown(books: Books, partner: str, number: int) -> int:
    """How many papers there are beside the JSON, which is stored."""
    stored = books.do(lambda connection: statements.found(connection, partner, number))
    document = json.loads(stored.document)
    return sum(bool(show(document)) for show in (as_csv, as_xlsx, as_pdf))
