"""How the ledger bears a long journal: import, verify, replay, and questions asked at two lengths.

python -m tests.load.scale --entries 10000000        a platform of its own; about 10 GB of disk for 10 million
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psutil
from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from tests.ledger.till import SECONDS, Till, till_of
from tests.support.platform import RunningPlatform, platform_in

SMALL = 10_000
FILES = 10
_ENTRIES_OF_A_WALLET = 20
_QUESTIONS = 200
_HEADER = ("wallet", "unit", "issuer", "points", "earned_at", "expires_on", "campaign", "reference")
_MIB = 1024 * 1024


@dataclass
class Journal:
    """One platform, filled file by file, a day apart."""

    platform: RunningPlatform
    entries: int
    seed: int = 1
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    answers_ms: dict[str, float] = field(default_factory=dict)

    def fill(self, folder: Path) -> Till:
        """Every wallet gets entries in every file, so that its history is spread over the whole journal."""
        till, began = till_of(self.platform), 0.0
        for number in range(FILES):
            file, rows = folder / f"{number}.csv", self.entries // FILES
            self._write(file, rows, till.partner.id)
            began = time.monotonic()
            self._coalition("ledger", "import", str(file), "--expect-rows", str(rows), "--output", "json")
            self._count("import", time.monotonic() - began)
            file.unlink()
            self.platform.clock.move(timedelta(days=1))
        return till

    def prove(self) -> None:
        """Verify and replay, each with the peak of the memory of whoever does it."""
        service = psutil.Process(json.loads((self.platform.home.run / "ledger.json").read_text())["pid"])
        began = time.monotonic()
        with Peak(lambda: service.memory_info().rss) as peak:
            self._coalition("verify", "--output", "json")
        self.peaks["verify"] = peak.mib
        self._count("verify", time.monotonic() - began)
        began = time.monotonic()
        with Peak(_children) as peak:
            self._coalition("ledger", "replay", "--output", "json")
        self.peaks["replay"] = peak.mib
        self._count("replay", time.monotonic() - began)

    def ask(self, till: Till) -> None:
        """Medians over random wallets: a balance of any moment, a page of a wallet's history, one of the partner's."""
        chance = random.Random(self.seed)
        now = self.platform.clock.now()
        grants = [till.grant(self._wallet(chance.randrange(self._wallets))) for _ in range(_QUESTIONS)]

        def moment() -> Timestamp:
            stamp = Timestamp()
            stamp.FromDatetime(now - timedelta(hours=chance.randrange(24 * FILES)))
            return stamp

        parent = till.partner.name
        self._time(
            "as_of",
            grants,
            lambda g: till.ledger.GetBalance(pb.GetBalanceRequest(grant=g, as_of=moment()), timeout=SECONDS),
        )
        self._time(
            "history of a wallet",
            grants,
            lambda g: till.ledger.ListEntries(
                pb.ListEntriesRequest(parent=parent, grant=g, page_size=10), timeout=SECONDS
            ),
        )
        self._time(
            "awards of a wallet since a day",
            grants,
            lambda g: till.ledger.ListEntries(
                pb.ListEntriesRequest(
                    parent=parent, grant=g, page_size=10, posted_from=moment(), kinds=[pb.ENTRY_KIND_AWARD]
                ),
                timeout=SECONDS,
            ),
        )
        self._time(
            "page of the partner",
            grants,
            lambda _: till.ledger.ListEntries(pb.ListEntriesRequest(parent=parent, page_size=100), timeout=SECONDS),
        )

    @property
    def _wallets(self) -> int:
        return max(1, self.entries // _ENTRIES_OF_A_WALLET)

    def _wallet(self, number: int) -> UUID:
        return UUID(int=random.Random(f"{self.seed} {number}").getrandbits(128), version=4)

    def _write(self, file: Path, rows: int, issuer: str) -> None:
        earned = self.platform.clock.now().isoformat()
        wallets = [str(self._wallet(number)) for number in range(min(self._wallets, rows))]
        with file.open("w", newline="", encoding="utf-8") as target:
            writer = csv.writer(target)
            writer.writerow(_HEADER)
            for row in range(rows):
                points = 1 + row % 997
                writer.writerow(
                    [wallets[row % len(wallets)], "POINTS", issuer, points, earned, "", "", f"{file.stem}-{row}"]
                )

    def _coalition(self, *words: str) -> None:
        command = [sys.executable, "-m", "services.cli.main", *words, "--home", str(self.platform.home.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(
                f"coalition {' '.join(words)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )

    def _count(self, what: str, seconds: float) -> None:
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds
        print(f"{what}: {self.seconds[what]:,.1f} s", file=sys.stderr, flush=True)

    def _time(self, what: str, grants: list[str], call: Callable[[str], object]) -> None:
        took = []
        for grant in grants:
            began = time.perf_counter()
            call(grant)
            took.append((time.perf_counter() - began) * 1000)
        self.answers_ms[what] = statistics.median(took[len(took) // 10 :])
        print(f"{what}: {self.answers_ms[what]:.2f} ms", file=sys.stderr, flush=True)


class Peak:
    """The most memory that something took while the block ran, looked at ten times a second."""

    def __init__(self, look: Callable[[], int]) -> None:
        self._look = look
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.mib = 0.0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.1):
            self.mib = max(self.mib, self._look() / _MIB)


def _children() -> int:
    """The largest of the programs that we have started and that are no part of the platform."""
    found = 0
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if "services.ledger.replay" in " ".join(child.cmdline()):
                found = max(found, child.memory_info().rss)
        except psutil.Error:
            continue
    return found


def measured(entries: int) -> Journal:
    with tempfile.TemporaryDirectory(prefix="scale-") as folder, platform_in(Path(folder) / "home") as platform:
        journal = Journal(platform, entries)
        till = journal.fill(Path(folder))
        journal.ask(till)
        journal.prove()
        return journal


def main() -> int:
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=10_000_000)
    given = parser.parse_args()
    journals = [measured(entries) for entries in sorted({SMALL, given.entries})]
    for journal in journals:
        print(f"\n{journal.entries:,} entries")
        for what, seconds in journal.seconds.items():
            peak = f", peak {journal.peaks[what]:,.0f} MiB" if what in journal.peaks else ""
            print(f"  {what:32} {journal.entries / seconds:10,.0f} entries/s  {seconds:8,.1f} s{peak}")
        for what, took in journal.answers_ms.items():
            times = took / journals[0].answers_ms[what]
            print(f"  {what:32} {took:10.2f} ms  {times:5.2f} times that of {journals[0].entries:,}")
    slow = [w for w, took in journals[-1].answers_ms.items() if took > 5 * journals[0].answers_ms[w]]
    print("slower than five times:", ", ".join(slow) or "none")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
