"""A small crash run: nothing acknowledged is lost, doubled or changed; and the checker that says so can be trusted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.faults.checker import violations
from tests.faults.planted import FAULTS
from tests.faults.playing import Options, Result, run
from tests.faults.record import History
from tests.faults.verbs import VERBS

OPTIONS = Options(operations=5_000, kills=10, postgres_kills=3, seed=20260115)

Run = tuple[Result, History]


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run for all tests; its history is long enough to plant anything in."""
    return run(OPTIONS, tmp_path_factory.mktemp("crash"), print)


def test_every_acknowledged_call_is_there_once_whoever_was_killed(crashed: Run) -> None:
    result, _ = crashed
    assert result.violations == []
    assert sum(result.deaths.values()) == OPTIONS.kills + OPTIONS.postgres_kills
    assert {"any time", "before-writing", "before-commit", "after-commit", "postgres"} <= result.deaths.keys()
    assert result.left_in_doubt > 0, "nobody was working when it died"
    assert result.entries >= result.acknowledged > OPTIONS.operations / 2
    assert result.repeats >= result.acknowledged


def test_every_verb_was_done_and_refused(crashed: Run) -> None:
    _, history = crashed
    done = Counter(call.verb for call in history.calls if call.answer)
    assert done.keys() == {verb.name for verb in VERBS}
    assert {"INSUFFICIENT_POINTS", "HOLD_CLOSED", "RECEIPT_ALREADY_USED"} <= {
        call.refused.reason for call in history.calls if call.refused
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_planted_is_found(crashed: Run, fault: str) -> None:
    _, history = crashed
    plant, kind = FAULTS[fault]
    assert kind in {violation.partition(":")[0] for violation in violations(plant(history))}


def test_a_history_in_a_file_is_the_same_history(crashed: Run, tmp_path: Path) -> None:
    _, history = crashed
    history.save(tmp_path / "history.jsonl")
    again = History.load(tmp_path / "history.jsonl")
    assert again == history
    assert violations(again) == []
