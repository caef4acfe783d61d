"""How fast opening lots come in by COPY: the importer as an operator runs it, its reading and checking included."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

from shared.clock import SystemClock
from tests.load.house import House
from tests.load.measured import Measured
from tests.load.processor import used_by_family
from tests.load.requests import wallet

_COLUMNS = ("wallet", "unit", "issuer", "points", "earned_at", "expires_on", "campaign", "reference")

_files = count(1)


def import_by_copy(house: House, rows: int, wallets: int) -> Measured:
    """One file of so many rows, for wallets that are in use already. No ledger may be running."""
    number = next(_files)
    file = house.home.root / f"openings-{number}.csv"
    with file.open("w", newline="") as open_file:
        csv.writer(open_file).writerows([_COLUMNS, *_rows(number, rows, wallets)])
    before, stored, used = house.entry_count(), used_by_family(house.postmaster), sum(os.times()[2:4])
    facts = _imported(house, file)
    stored, used = used_by_family(house.postmaster) - stored, sum(os.times()[2:4]) - used
    if facts["posted"] != rows or house.entry_count() - before != rows:
        raise RuntimeError(f"of {rows} rows {facts['posted']} were posted: {facts['bad']}")
    file.unlink()
    return Measured(rows / facts["seconds"], server_seconds=used, database_seconds=stored, seconds=facts["seconds"])


def _rows(number: int, rows: int, wallets: int) -> Iterator[tuple[object, ...]]:
    draw = random.Random(number)
    earned = (SystemClock().now() - timedelta(days=90)).replace(microsecond=0).isoformat()
    for row in range(rows):
        issuer = f"former-{draw.randrange(8)}"  # nobody with an allowance: opening lots would count for it
        yield wallet(draw.randrange(wallets)), "POINTS", issuer, 100, earned, "", "", f"old-{number}-{row}"


def _imported(house: House, file: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "services.ledger.importer", file, "--output", "json"],
        env=house.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the import ended with {done.returncode}: {done.stderr.strip()} {done.stdout.strip()}")
    facts: dict[str, float] = json.loads(done.stdout)
    return facts
