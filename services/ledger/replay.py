"""`python -m services.ledger.replay`: build the projections again from the entries, beside the service, and compare.

It connects as the owner of the schema, because it makes a schema of its own, and takes it away again unless it is
told to keep it. 0: nothing differs; 1: something does, or it was refused; 130: stopped.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict

import psycopg.errors

from services.ledger.domain.refusals.rebuilding import OwnerMayNotCreate
from services.ledger.settings import Settings
from services.ledger.store.rebuilding import Rebuild, Rebuilt
from shared.clock import clock_at
from shared.db.engine import make_engine
from shared.refusal import Refusal
from shared.verifying import Difference, Progress

SAME, DIFFERENT, STOPPED = 0, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    settings = Settings()
    engine = make_engine(settings, "owner", pool_size=2)
    named: str | None = options.schema
    rebuild = Rebuild(engine, named or f"ledger_replay_{clock_at(settings.clock_file).now():%Y%m%d_%H%M%S}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if named is None:
            _begin(rebuild, settings)
        return _run(rebuild, options.output == "json", kept=options.keep)
    except KeyboardInterrupt:
        _say(f"stopped; go on with --schema {rebuild.schema}" if options.keep else "stopped; nothing is left of it")
        return STOPPED
    except Refusal as refusal:
        _say(f"{refusal} {refusal.advice}")
        return DIFFERENT
    finally:
        if not options.keep:
            with suppress(Refusal):
                rebuild.drop()
        engine.dispose()


def _begin(rebuild: Rebuild, settings: Settings) -> None:
    try:
        rebuild.begin()
    except psycopg.errors.InsufficientPrivilege as error:
        raise OwnerMayNotCreate(database=settings.database_name, owner=settings.owner_user) from error


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="coalition ledger replay", description=__doc__)
    parser.add_argument("--output", choices=("text", "json"), default="text", help="for people, or one JSON object")
    parser.add_argument("--keep", action="store_true", help="leave the schema there, also when stopped")
    parser.add_argument("--schema", help="go on with a rebuild that was kept")
    return parser.parse_args(arguments)


def _run(rebuild: Rebuild, as_json: bool, *, kept: bool) -> int:
    differences: list[Difference] = []
    rebuilt, began, told = Rebuilt(), time.monotonic(), 0.0
    for event in rebuild.run():
        match event:
            case Progress(entries, total):
                if time.monotonic() - told > 1:
                    told = time.monotonic()
                    _say(f"{entries:,} of {total:,} entries")
            case Difference():
                differences.append(event)
            case Rebuilt():
                rebuilt = event
    seconds = round(time.monotonic() - began, 3)
    if as_json:
        facts = {"same": not differences, "schema": rebuild.schema if kept else None, "seconds": seconds}
        told_as = [asdict(difference) for difference in differences]
        _answer(json.dumps({**facts, "entries": rebuilt.entries, "rows": rebuilt.rows, "differences": told_as}))
    else:
        _answer(_as_text(rebuilt, differences, seconds))
        if kept:
            _say(f"the rebuilt tables are in schema {rebuild.schema}")
    return DIFFERENT if differences else SAME


def _as_text(rebuilt: Rebuilt, differences: Sequence[Difference], seconds: float) -> str:
    rows = ", ".join(f"{count:,} {table}" for table, count in rebuilt.rows.items())
    lines = [f"rebuilt from {rebuilt.entries:,} entries in {seconds:.1f} s: {rows}"]
    lines += [f"DIFFERENT: {found.subject} {found.name}: {found.detail}" for found in differences]
    return "\n".join(lines if differences else [*lines, "nothing differs"])


def _answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _say(text: str) -> None:
    sys.stderr.write(f"replay: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
