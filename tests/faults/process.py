"""A process of the ledger, started again whenever it is not there."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from services.sandbox import processes
from services.sandbox.clients import healthy
from services.sandbox.home import Home
from services.sandbox.ports import free
from services.sandbox.services import target
from shared.credentials.authority import Leaf

LEDGER = "ledger"
UP_SECONDS = 60.0
_ROOT = Path(__file__).parents[2]


@dataclass
class Ledger:
    """One process of the ledger: started again whenever it is not there."""

    name: str
    home: Home
    port: int
    environment: dict[str, str]
    operator: Leaf

    @property
    def target(self) -> str:
        return target({LEDGER: self.port}, LEDGER)

    @property
    def armed(self) -> Path:
        """Names the point at which it is to die; see `mortal`."""
        return self.home.run / f"{self.name}.armed"

    @property
    def log(self) -> Path:
        return self.home.logs / f"{self.name}.log"

    def start(self) -> None:
        """Start it; come back at once."""
        self.armed.unlink(missing_ok=True)
        give_up = time.monotonic() + UP_SECONDS
        while not free(self.port):
            assert time.monotonic() < give_up, f"somebody else listens on the port of {self.name}"
            time.sleep(0.01)
        command = [sys.executable, "-P", "-m", "tests.faults.mortal"]
        more = {
            "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
            "CRASH_ARMED": str(self.armed),
            "CRASH_NAME": self.name,
        }
        processes.spawn(self.name, command, {**self.environment, **more}, self.log, self.home.run)

    def up(self) -> None:
        """Have it run and be healthy, however often it has to be started."""
        give_up = time.monotonic() + UP_SECONDS
        why = "it was never started"
        while time.monotonic() < give_up:
            if not self.lives():
                self.start()
            why = healthy(self.target, self.operator, timeout=0.5)
            if not why:
                return
        raise TimeoutError(f"{self.name} did not get up: {why} {processes.last_words(self.log)}")

    def lives(self) -> bool:
        return processes.running(processes.recorded(self.name, self.home.run))

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        record = processes.recorded(self.name, self.home.run)
        if record is not None and processes.running(record):
            os.kill(record.pid, number)

    def kill(self) -> None:
        """Without a word, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.wait_until_dead(UP_SECONDS)

    def arm(self, point: str, number: signal.Signals) -> None:
        """Send itself this signal when its next transaction gets to that point; see `mortal`."""
        fresh = self.armed.with_suffix(".new")
        fresh.write_text(f"{point} {number.name}")
        fresh.replace(self.armed)

    def sleeps(self) -> bool:
        record = processes.recorded(self.name, self.home.run)
        return record is not None and psutil.Process(record.pid).status() == psutil.STATUS_STOPPED

    def wait_until_dead(self, seconds: float) -> bool:
        give_up = time.monotonic() + seconds
        while self.lives():
            if time.monotonic() > give_up:
                return False
            time.sleep(0.005)
        return True
