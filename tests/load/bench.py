"""`make bench`: the ledger against pgbench's simple-update on the same PostgreSQL and the same two cores, in turn.

It starts everything itself, in a folder that it removes. Figures of one pair say little (simple-update itself drifts by
a quarter), so each case runs next to simple-update in every round, and the table prints medians over the rounds.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from tests.load import pgbench
from tests.load.cases import CASES, Case, Run
from tests.load.driving import drive, plan
from tests.load.house import House, Ledger, house_in
from tests.load.options import options as options_of
from tests.load.plan import Kind
from tests.load.report import as_json, as_table
from tests.load.seeding import seed
from tests.load.summary import Pair


def main(words: Sequence[str] | None = None) -> int:
    options = options_of(words)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # so that what was started is ended
    os.sched_setaffinity(0, options.cores)
    try:
        pairs = _measured(options)
    except KeyboardInterrupt:
        _say("interrupted; everything that was started is stopped")
        return 130
    print(as_json(pairs, options) if options.output == "json" else as_table(pairs, options))
    return 0


def _measured(options: argparse.Namespace) -> list[Pair]:
    with (
        tempfile.TemporaryDirectory(prefix="coalition-bench-", dir=options.folder) as folder,
        house_in(Path(folder), options.python, _say) as house,
    ):
        try:
            return _rounds(house, options)
        except RuntimeError:
            _say(house.last_error())
            raise


def _rounds(house: House, options: argparse.Namespace) -> list[Pair]:
    house.prepare()
    pgbench.prepare(house, options.scale)
    _say(f"filling {options.wallets} wallets")
    seed(house, options.wallets, options.lots)
    pairs: list[Pair] = []
    for number in range(options.pairs):
        for pair in _round(house, number, options, pairs):
            pairs.append(pair)
            _say(f"round {number + 1} of {options.pairs}: {pair}")
    return pairs


def _round(house: House, number: int, options: argparse.Namespace, before: list[Pair]) -> Iterator[Pair]:
    wanted = [case for case in CASES if case.name in options.cases and not (case.once and number)]
    found = list(before)

    def unary(ledgers: Sequence[Ledger]) -> float:
        rates = [pair.case.per_second for pair in found if pair.name == "award-64"]
        if rates:
            return median(rates)
        short = plan(house, ledgers, kind=Kind.AWARD, in_flight=64, seconds=options.seconds, wallets=options.wallets)
        return drive(house, ledgers, short).per_second

    for count in sorted({case.ledgers for case in wanted}):
        with house.ledgers(count) as ledgers:
            run = Run(house, ledgers, options.seconds, options.wallets, partial(unary, ledgers))
            for case in wanted:
                if case.ledgers == count:
                    found.append(_pair(house, case, run))
                    yield found[-1]


def _pair(house: House, case: Case, run: Run) -> Pair:
    """Both begin with a checkpoint behind them, so that neither pays for what the other wrote."""
    house.sql("CHECKPOINT")
    reference = pgbench.simple_update(house, run.seconds)
    house.sql("CHECKPOINT")
    return Pair(case.name, reference, case.run(run))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
