"""`make bench-settlement`: settlement at size, on two cores and one PostgreSQL, in a folder that it removes.

Every figure stands beside what one GROUP BY over the same rows takes. The default fits into a laptop's minute or two;
the whole size takes an evening's coffee: ARGS='--entries 10000000 --lines 50000 --seconds 5 --rounds 30'.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.load.settlement.awards import awards
from tests.load.settlement.bank import bank
from tests.load.settlement.books import Books
from tests.load.settlement.closing import closing
from tests.load.settlement.figures import Figure, as_json, as_table, shown
from tests.load.settlement.ingest import ingest
from tests.load.settlement.job import job
from tests.load.settlement.options import options as options_of
from tests.support.databases import Databases, databases_in


def main(words: Sequence[str] | None = None) -> int:
    options = options_of(words, list(_CASES))
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # so that what was started is ended
    os.sched_setaffinity(0, options.cores)
    figures: list[Figure] = []
    try:
        for name in options.cases:
            with tempfile.TemporaryDirectory(prefix="coalition-bench-", dir=options.folder) as folder:
                for figure in _CASES[name](Path(folder), options):
                    figures.append(figure)
                    _say(f"{figure.what}, {figure.size}: {shown(figure.value, figure.unit)}")
    except KeyboardInterrupt:
        _say("interrupted; everything that was started is stopped")
        return 130
    print(as_json(figures, options) if options.output == "json" else as_table(figures, options))
    return 0


def _windows(folder: Path, options: argparse.Namespace) -> Iterator[Figure]:
    """Closing and the job need the same long window, which takes longest to make."""
    with _books_in(folder, options) as books:
        yield from closing(books, options)
        yield from job(books, options)


def _ingest(folder: Path, options: argparse.Namespace) -> Iterator[Figure]:
    with _books_in(folder, options) as books:
        yield from ingest(books, options)


def _bank(folder: Path, options: argparse.Namespace) -> Iterator[Figure]:
    with _databases(folder) as databases:
        yield from bank(databases, folder, options)


@contextmanager
def _books_in(folder: Path, options: argparse.Namespace) -> Iterator[Books]:
    with _databases(folder) as databases:
        _say(f"contracts with {options.partners} partners")
        books = Books(databases, folder, options.partners)
        try:
            yield books
        finally:
            books.leave()


@contextmanager
def _databases(folder: Path) -> Iterator[Databases]:
    with databases_in(folder / "home", _say) as databases:
        yield databases


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


_CASES: dict[str, Callable[[Path, argparse.Namespace], Iterator[Figure]]] = {
    "ingest": _ingest,
    "windows": _windows,
    "bank": _bank,
    "awards": awards,
}


if __name__ == "__main__":
    sys.exit(main())
