"""The bench at a size at which its figures mean nothing: it runs, counts what it did, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.interrupting import LISTENING

ROOT = Path(__file__).parents[2]
CASES = (
    "replay",
    "read-journal",
    "award-64",
    "award-open",
    "hot-wallet-64",
    "redeem-64",
    "hold-capture-64",
    "batch-100",
    "two-award-64",
    "import",
    "write-path",
)


@pytest.fixture
def tiny(tmp_path: Path) -> list[str]:
    cores = ",".join(map(str, os.sched_getaffinity(0)))  # of all of them: other tests run beside it
    size = ("--pairs", "1", "--seconds", "1", "--wallets", "50", "--lots", "10", "--scale", "1")
    return [sys.executable, "-m", "tests.load.bench", *size, "--cores", cores, "--folder", str(tmp_path)]


def test_every_case_runs_next_to_simple_update(tiny: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*tiny, "--cases", ",".join(CASES), "--output", "json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [case.get("name") for case in found["cases"]] == [None, *CASES]
    assert [case for case in found["cases"] if case["per_second"] <= 0 or case["database_seconds"] < 0] == []
    assert [run for run in found["runs"] if run["simple-update"]["per_second"] <= 0] == []
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_stops_what_was_started(tiny: list[str], tmp_path: Path) -> None:
    command = [*LISTENING, *tiny, "--cases", "award-64"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as bench:
        assert bench.stderr is not None
        while "filling" not in bench.stderr.readline():
            assert bench.poll() is None
        started = psutil.Process(bench.pid).children(recursive=True)
        bench.send_signal(signal.SIGINT)
        bench.stderr.read()
    assert started
    assert bench.returncode == 130
    assert psutil.wait_procs(started, timeout=10)[1] == []
    assert list(tmp_path.iterdir()) == []
