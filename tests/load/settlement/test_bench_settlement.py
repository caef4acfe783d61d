"""The bench of settlement at a size at which its figures mean nothing: it runs and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_case_runs_beside_a_plain_group_by(tmp_path: Path) -> None:
    cores = ",".join(map(str, os.sched_getaffinity(0)))  # of all of them: other tests run beside it
    size = ("--entries", "6400", "--journal", "6400", "--partners", "16", "--lines", "40", "--seconds", "2")
    bench = [sys.executable, "-m", "tests.load.settlement", *size, "--rounds", "1", "--cores", cores]
    done = subprocess.run(
        [*bench, "--folder", str(tmp_path), "--output", "json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert all(one["value"] > 0 for one in figures)
    assert {one["what"] for one in figures if one["goal"]} == {
        "ingest",
        "close a window",
        "that, of the close of 10,000",
        "the whole job",
        "its memory: with PostgreSQL",
        "read, store and match it",
        "that, of the one before",
    }
    assert {one["what"] for one in figures if one["plain_seconds"]} == {
        "ingest",
        "close a window",
        "the whole job",
        "read, store and match it",
    }
    assert list(tmp_path.iterdir()) == []
