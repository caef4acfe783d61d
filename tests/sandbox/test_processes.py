"""A process is found again by what it is, not by a number that may belong to a stranger by now."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.sandbox import processes
from services.sandbox.home import Home, write_json
from services.sandbox.refusals import FileDamaged

GENTLY = ((signal.SIGTERM, 5.0),)
SLEEP = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"

Spawn = Callable[[str], processes.Record]


@pytest.fixture
def spawn(home: Home) -> Iterator[Spawn]:
    """Starts a program in Python, and ends it with the test."""
    started: list[processes.Record] = []

    def start(program: str) -> processes.Record:
        environment = {"COALITION_SPEECH": "clear"}
        command = [sys.executable, "-c", program]
        started.append(processes.spawn("sleeper", command, environment, home.logs / "sleeper.log", home.run))
        return started[-1]

    yield start
    for record in started:
        processes.stop(record, gently=(), records=home.run)


def test_a_process_is_found_by_its_record(spawn: Spawn, home: Home) -> None:
    record = spawn(SLEEP)
    assert processes.recorded("sleeper", home.run) == record
    assert processes.running(record)


def test_it_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(spawn: Spawn) -> None:
    assert os.getsid(spawn(SLEEP).pid) != os.getsid(0)


def test_a_zombie_does_not_run() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not processes.alive(child.pid)
    child.wait()


def test_a_stranger_under_the_same_number_is_not_ours_and_gets_no_signal(spawn: Spawn, home: Home) -> None:
    record = spawn(SLEEP)
    older = dataclasses.replace(record, started=record.started - 60)
    assert not processes.running(older)
    processes.stop(older, gently=GENTLY, records=home.run)
    assert processes.running(record)


def test_a_stopped_process_is_forgotten(spawn: Spawn, home: Home) -> None:
    record = spawn(SLEEP)
    processes.stop(record, gently=GENTLY, records=home.run)
    assert not processes.running(record)
    assert processes.recorded("sleeper", home.run) is None


def test_one_that_ignores_sigterm_is_killed(spawn: Spawn, home: Home) -> None:
    record = spawn(DEAF)
    while "deaf" not in (home.logs / "sleeper.log").read_text():
        time.sleep(0.01)
    processes.stop(record, gently=((signal.SIGTERM, 0.2),), records=home.run)
    assert not processes.running(record)


def test_other_settings_give_another_fingerprint() -> None:
    one, other = {"COALITION_LEDGER_LISTEN": "a"}, {"COALITION_LEDGER_LISTEN": "b"}
    assert processes.fingerprint(["x"], one) != processes.fingerprint(["x"], other)
    assert processes.fingerprint(["x"], one) == processes.fingerprint(["x"], {**one, "TERM": "dumb"})


@pytest.mark.parametrize("content", [{"name": "sleeper"}, {"name": "sleeper", "pid": "1"}], ids=["short", "mistyped"])
def test_a_record_that_makes_no_sense_is_one_line(content: dict[str, object], home: Home) -> None:
    write_json(home.run / "sleeper.json", content)
    with pytest.raises(FileDamaged, match="does not hold the record of a process"):
        processes.recorded("sleeper", home.run)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", "it said nothing"),
        ("a\nb\n\n", "b"),
        ("2026 UTC [1] FATAL:  no room\n2026 UTC [1] HINT:  make some.\n", "no room"),
        ('initdb: error: could not create "x".\n', 'could not create "x"'),
    ],
    ids=["nothing", "the last", "the fatal", "initdb"],
)
def test_the_last_words_of_a_log_are_those_that_say_why(log: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(log)
    assert processes.last_words(tmp_path / "log") == words


def test_the_words_of_an_earlier_run_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("FATAL: long ago\n")
    size = (tmp_path / "log").stat().st_size
    assert processes.last_words(tmp_path / "log", since=size) == "it said nothing"
