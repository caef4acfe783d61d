"""Who dies when: a plan drawn from the seed, carried out as the work goes on."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults import mortal
from tests.faults.process import Ledger
from tests.faults.stage import Stage

ANY_TIME, STARTING = "any time", "while it starts"
POSTGRES, BACKEND, BOTH = "postgres", "one of its backends", "postgres and the ledger"
ASLEEP = "asleep past its lease"

_SERVICE = (ANY_TIME, *mortal.POSTING, ANY_TIME, *mortal.OTHERS, STARTING, *mortal.POSTING)
_DATABASE = (POSTGRES, POSTGRES, BACKEND, BOTH)
_ARMED_SECONDS = 20.0


@dataclass(frozen=True, order=True)
class Death:
    """Comes once so many operations are done."""

    after: int
    how: str


def planned(luck: Random, operations: int, kills: int, postgres_kills: int, sleeps: int) -> list[Death]:
    """All deaths in their order, spread over the work."""
    hows = [_SERVICE[number % len(_SERVICE)] for number in range(kills)]
    hows += [_DATABASE[number % len(_DATABASE)] for number in range(postgres_kills)]
    hows += [ASLEEP] * sleeps
    first, last = operations // 100, operations * 95 // 100
    return sorted(Death(luck.randint(first, last), how) for how in hows)


@dataclass
class Reaper:
    """Kills, and gets up again what it killed."""

    stage: Stage
    luck: Random
    lease_seconds: float
    say: Callable[[str], None]
    died: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=dict)
    """Seconds until everybody was healthy again."""

    def kill(self, how: str) -> None:
        """One death, and everybody healthy again."""
        victim = self.luck.choice(self.stage.ledgers)
        match how:
            case "postgres" | "one of its backends":
                self.stage.kill_postgres(backend=how == BACKEND)
            case "postgres and the ledger":
                self.stage.kill_postgres(backend=False)
                victim.kill()
            case "any time":
                victim.kill()
            case "while it starts":
                victim.kill()
                victim.start()
                time.sleep(self.luck.uniform(0.05, 2.0))
                victim.kill()
            case "asleep past its lease":
                self._put_to_sleep(victim)
            case point:
                self._arm(victim, point)
        self.died[how] += 1
        began = time.monotonic()
        self.everybody_up()
        self.longest[how] = max(self.longest.get(how, 0.0), round(time.monotonic() - began, 2))

    def everybody_up(self) -> None:
        self.stage.postgres.start(lambda _: None)
        for ledger in self.stage.ledgers:
            ledger.up()

    def _arm(self, victim: Ledger, point: str) -> None:
        """It dies by itself at its next transaction; one that never gets there is killed like any other."""
        victim.arm(point, signal.SIGKILL)
        if not victim.wait_until_dead(_ARMED_SECONDS):
            victim.kill()
            self.say(f"{victim.name} never came to {point}, and was killed")

    def _put_to_sleep(self, victim: Ledger) -> None:
        """It wakes up believing that its buckets are still its own."""
        if self.luck.random() < 0.5:
            victim.send(signal.SIGSTOP)
        else:
            self._fall_asleep_posting(victim)
        time.sleep(self.lease_seconds * self.luck.uniform(1.2, 4))
        victim.send(signal.SIGCONT)

    def _fall_asleep_posting(self, victim: Ledger) -> None:
        """In the middle of a transaction, with heads locked: the worst moment."""
        victim.arm(self.luck.choice([mortal.BEFORE_WRITING, mortal.BEFORE_COMMIT]), signal.SIGSTOP)
        give_up = time.monotonic() + _ARMED_SECONDS
        while not victim.sleeps() and time.monotonic() < give_up:
            time.sleep(0.005)
        victim.send(signal.SIGSTOP)
        victim.armed.unlink(missing_ok=True)
