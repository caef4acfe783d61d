"""Two processes on one database: one may die or sleep, and nothing is lost; who wakes up too late writes nothing."""

from __future__ import annotations

from pathlib import Path

from tests.faults.playing import Options, run


def test_whichever_process_dies_or_sleeps_every_acknowledged_call_is_there_once(tmp_path: Path) -> None:
    options = Options(operations=2_000, processes=2, kills=4, postgres_kills=1, sleeps=1, seed=20260115)
    result, _ = run(options, tmp_path, print)
    assert result.violations == []
    assert sum(result.deaths.values()) == 6
    assert result.acknowledged > options.operations / 2
