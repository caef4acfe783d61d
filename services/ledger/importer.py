"""`python -m services.ledger.importer FILE`: post opening lots from a CSV file, bucket by bucket.

The file begins with `wallet,unit,issuer,points,earned_at,expires_on,campaign,reference`. Everything is read and
checked before anything is written: each field, and the control totals. While it writes the services post nothing;
they go on by themselves afterwards. After a crash, or when it was stopped, the same command does the rest.

0: all of it is posted, or with --dry-run could be; 1: it was refused; 2: rows are wrong; 130: stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Engine

from services.ledger.settings import Settings
from services.ledger.store.deployment import prepare
from services.ledger.store.importing import AT_ONCE, Import, Imported, ImportRefused, Openings
from services.ledger.store.leases import Leases
from services.ledger.store.stripes import stripe_count
from shared.clock import clock_at
from shared.db.engine import make_engine
from shared.log import configure
from shared.refusal import Refusal
from shared.verifying import Progress

DONE, REFUSED, WRONG, STOPPED = 0, 1, 2, 130

_LEASE_SECONDS = 10
_WAIT_SECONDS = 60


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    settings = Settings()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = make_engine(settings, pool_size=AT_ONCE + 1)  # and the leases'
    try:
        with tempfile.TemporaryDirectory(prefix="coalition-import-") as folder:
            return _main(options, settings, engine, Path(folder))
    except KeyboardInterrupt:
        _say("stopped; the same command does the rest")
        return STOPPED
    except OSError as error:
        _say(f"{error.strerror or error}: {error.filename or options.file}")
    except Refusal as refusal:
        _say(f"{refusal} {refusal.advice}")
    finally:
        engine.dispose()
    return REFUSED


def _main(options: argparse.Namespace, settings: Settings, engine: Engine, folder: Path) -> int:
    prepare(engine, settings.buckets)
    programme = settings.programme()
    now = programme.moment(clock_at(settings.clock_file).now())
    began = time.monotonic()
    openings = Openings(folder, settings.buckets)
    openings.read(options.file, now, lambda lines: _say(f"{lines:,} lines read"))
    _check_totals(options, openings)
    import_ = Import(engine, programme, settings.buckets, now)
    if not openings.bad:
        import_.look_for_trouble(openings)
    if openings.bad or options.dry_run:
        _answer(options, openings, None, time.monotonic() - began)
        return WRONG if openings.bad else DONE
    leases = Leases(engine, f"import/{os.getpid()}", "", settings.buckets, _LEASE_SECONDS, alone=True)
    try:
        imported = _run(import_, openings, _all_of(leases, settings.buckets))
    finally:
        leases.stop()
    _answer(options, openings, imported, time.monotonic() - began)
    return DONE


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="coalition ledger import", description=__doc__)
    parser.add_argument("file", type=Path, help="CSV, UTF-8")
    parser.add_argument("--expect-rows", type=int, help="control total: rows in the file, the header not counted")
    parser.add_argument("--expect-points", type=int, help="control total: the sum of all points, of every unit")
    parser.add_argument("--dry-run", action="store_true", help="read and check, write nothing")
    parser.add_argument("--output", choices=("text", "json"), default="text", help="for people, or one JSON object")
    return parser.parse_args(arguments)


def _check_totals(options: argparse.Namespace, openings: Openings) -> None:
    """What was sent must be what arrived. Rows that are wrong count as rows, but their points are not known."""
    rows, points = openings.rows + openings.bad_rows, sum(openings.points.values())
    if options.expect_rows not in (None, rows):
        raise ImportRefused(
            why=f"The file has {rows:,} rows, {options.expect_rows:,} are expected.", what_to_do="Send the whole file."
        )
    if not openings.bad and options.expect_points not in (None, points):
        raise ImportRefused(
            why=f"The rows sum up to {points:,} points, {options.expect_points:,} are expected.",
            what_to_do="Compare the file with its source.",
        )


def _all_of(leases: Leases, bucket_count: int) -> Mapping[int, int]:
    """Every stripe, taken from whoever has it."""
    leases.start()
    give_up = time.monotonic() + _WAIT_SECONDS
    while len(held := leases.held()) < stripe_count(bucket_count):
        if time.monotonic() > give_up:
            raise ImportRefused(
                why="Others would not let go of their buckets.", what_to_do="Stop them, then try again."
            )
        leases.look()
        time.sleep(0.1)
    return held


def _run(import_: Import, openings: Openings, held: Mapping[int, int]) -> Imported:
    imported, told = Imported(), 0.0
    for event in import_.run(openings, held):
        match event:
            case Progress(done, total):
                if time.monotonic() - told > 1:
                    told = time.monotonic()
                    _say(f"{done:,} of {total:,} rows")
            case Imported():
                imported = event
    return imported


def _answer(options: argparse.Namespace, openings: Openings, imported: Imported | None, seconds: float) -> None:
    facts: dict[str, object] = {
        "rows": openings.rows,
        "bad_rows": openings.bad_rows,
        "points": {unit.name: points for unit, points in sorted(openings.points.items())},
        "posted": imported.posted if imported else 0,
        "there": imported.there if imported else 0,
        "dry_run": bool(options.dry_run),
        "seconds": round(seconds, 3),
        "bad": [bad._asdict() for bad in openings.bad],
    }
    if options.output == "json":
        sys.stdout.write(json.dumps(facts) + "\n")
        return
    for bad in openings.bad:
        sys.stdout.write(f"line {bad.line}, {bad.field}: {bad.problem}. {bad.remedy}\n")
    points = ", ".join(f"{count:,} {unit.name}" for unit, count in sorted(openings.points.items())) or "nothing"
    sys.stdout.write(f"{openings.rows:,} good rows with {points}; {openings.bad_rows:,} bad rows\n")
    if imported:
        rate = round(imported.posted / max(seconds, 0.001))
        there = f", {imported.there:,} had been before" if imported.there else ""
        sys.stdout.write(f"{imported.posted:,} posted in {seconds:.1f} s ({rate:,} a second){there}\n")
    else:
        sys.stdout.write("Nothing was written.\n")


def _say(text: str) -> None:
    sys.stderr.write(f"import: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    configure("ledger-import", "warning")
    sys.exit(main())
