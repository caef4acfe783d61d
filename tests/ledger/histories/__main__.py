"""Many and long histories, by hand: `python -m tests.ledger.histories --on core --examples 2000 --steps 50`.

`--on core`: the pure core in memory. `--on store`: writer, sweeper and tables on a PostgreSQL of its own. `--on
service`: the ledger of a running sandbox, over gRPC. The seed is printed first; `--seed` repeats a run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path
from random import SystemRandom

from coalition.ledger.v1.ledger_pb2_grpc import LedgerServiceStub
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from services.ledger.domain.entry import Entry
from services.ledger.domain.wish import Wish
from services.ledger.store.writer import LaneLimits
from services.sandbox.clients import channel
from shared.refusal import Refusal
from tests.ledger.domain.pure import PureHistories
from tests.ledger.histories.machine import Histories
from tests.ledger.served import histories_of
from tests.ledger.store.stored import StoredHistories
from tests.ledger.store.vault import Vault
from tests.support.databases import databases_in
from tests.support.platform import platform_in

_TELL_EVERY = 50


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.histories")
    parser.add_argument("--on", choices=["core", "store", "service"], default="core")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(2**32))
    parser.add_argument("--shrink", action="store_true", help="make a failing history shorter before it is printed")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    if asked.on == "core":
        play(PureHistories, asked)
        return
    with tempfile.TemporaryDirectory() as folder:
        if asked.on == "store":
            play_on_the_store(Path(folder), asked)
        else:
            play_on_the_service(Path(folder), asked)


def play_on_the_service(folder: Path, asked: argparse.Namespace) -> None:
    with platform_in(folder) as platform:
        leaf = platform.sandbox.authority.operator("ben")
        with channel(platform.sandbox.targets["ledger"], leaf) as connection:
            play(histories_of(platform, LedgerServiceStub(connection)), asked)


def play_on_the_store(folder: Path, asked: argparse.Namespace) -> None:
    with databases_in(folder) as databases:
        vault = Vault(databases, lanes=2, limits=LaneLimits())
        try:
            play(type("HistoriesOfAVault", (StoredHistories,), {"vault": vault}), asked)
        finally:
            vault.close()


def play(machine: type[Histories], asked: argparse.Namespace) -> None:
    """Play the histories, then tell how often each verb was done and refused."""
    outcomes: Counter[str] = Counter()
    counted = count(1)

    class Counted(machine):  # type: ignore[valid-type, misc]  # the ledger is chosen at run time
        def post(self, wish: Wish, wallet: object) -> Entry | Refusal:
            outcome: Entry | Refusal = super().post(wish, wallet)
            done = "done" if isinstance(outcome, Entry) else outcome.reason
            outcomes[f"{type(wish).__name__.removesuffix('Wish').lower()}: {done}"] += 1
            return outcome

        def teardown(self) -> None:
            super().teardown()
            if not self.failing and (played := next(counted)) % _TELL_EVERY == 0:
                print(f"{played} histories agree, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)

    phases = [Phase.generate, Phase.shrink] if asked.shrink else [Phase.generate]
    begun = time.monotonic()
    run_state_machine_as_test(
        seed(asked.seed)(Counted),
        settings=settings(
            max_examples=asked.examples,
            stateful_step_count=asked.steps,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )
    for name, times in sorted(outcomes.items()):
        print(f"{times:8} {name}")
    print(f"{asked.examples} histories of {asked.steps} steps agree, {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
