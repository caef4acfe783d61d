"""Processes that outlive the command that started them, and how they are found again.

A record names the process id and when that process began: an id alone may by now belong to somebody else. Only what a
record of this home names is ever sent a signal.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from services.sandbox.home import read_json, write_json
from services.sandbox.refusals import FileDamaged, StillRunning

_FATAL: Final = re.compile(r"\b(?:FATAL|PANIC|initdb: error): ")
_SAME_START_SECONDS: Final = 0.1

_children: dict[int, subprocess.Popen[bytes]] = {}
"""What this very process started: kept so that an ended child is reaped and does not linger as a zombie."""


@dataclass(frozen=True, slots=True)
class Record:
    """One process of the sandbox as the run folder remembers it."""

    name: str
    pid: int
    started: float
    settings: str
    """A fingerprint of the settings it was started with."""


def spawn(name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, records: Path) -> Record:
    """Start a process of its own session, write down what it is, and do not wait for it."""
    with log.open("ab") as output:
        log.chmod(0o600)
        child = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _children[child.pid] = child
    record = Record(name, child.pid, _start_of(child.pid), fingerprint(command, environment))
    write_json(records / f"{name}.json", asdict(record))
    return record


def fingerprint(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Equal for equal commands with equal settings; the rest of the environment may differ between two terminals."""
    ours = sorted((name, value) for name, value in environment.items() if name.startswith("COALITION_"))
    return hashlib.sha256(json.dumps([list(command), ours]).encode()).hexdigest()[:16]


def adopted(name: str, pid: int, records: Path) -> Record:
    """Write down a process of ours whose start was interrupted before it was recorded."""
    record = Record(name, pid, _start_of(pid), settings="")
    write_json(records / f"{name}.json", asdict(record))
    return record


def recorded(name: str, records: Path) -> Record | None:
    """What the run folder remembers under a name, whether or not it still lives."""
    path = records / f"{name}.json"
    content = read_json(path)
    if content is None:
        return None
    match content:
        case {"name": str(named), "pid": int(pid), "started": float(started), "settings": str(settings)}:
            return Record(named, pid, started, settings)
        case _:
            raise FileDamaged(file=path, meaning="the record of a process (delete it if nothing runs)")


def running(record: Record | None) -> bool:
    """Whether the recorded process lives: not ended, not a zombie, not another one under its id."""
    if record is None:
        return False
    reap()
    return alive(record.pid) and abs(_start_of(record.pid) - record.started) < _SAME_START_SECONDS


def alive(pid: int) -> bool:
    """Whether some process has this id and is more than a zombie."""
    try:
        return psutil.Process(pid).status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return False


def ours(process: psutil.Process, environment: Mapping[str, str]) -> bool:
    """Whether an unrecorded process was started by us with these settings, in a start that was interrupted."""
    try:
        found = process.environ()
    except psutil.Error:
        return False
    wanted = {name: value for name, value in environment.items() if name.endswith("_CERTIFICATE_FILE")}
    return bool(wanted) and all(found.get(name) == value for name, value in wanted.items())


def stop(record: Record, *, gently: Sequence[tuple[signal.Signals, float]], records: Path) -> None:
    """End a process: each signal with the seconds it is given, then SIGKILL. Forget the record when it is gone."""
    for number, patience in (*gently, (signal.SIGKILL, 10.0)):
        if not running(record):
            break
        try:
            os.kill(record.pid, number)
        except ProcessLookupError:
            break
        _wait(record.pid, patience)
    if running(record):
        raise StillRunning(process=record.name, pid=record.pid)
    (records / f"{record.name}.json").unlink(missing_ok=True)


def reap() -> None:
    """Let ended children of this process go."""
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(pid, None)


def last_words(log: Path, since: int = 0) -> str:
    """The line of a log that says why, for the one line that a refusal may have: the last fatal one, else the last."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - 16_384))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    except OSError:
        return "it left no log"
    spoken = [line for line in lines if line]
    fatal = [line for line in spoken if _FATAL.search(line)]
    chosen = (fatal or spoken or ["it said nothing"])[-1]
    return _FATAL.split(chosen)[-1].strip()[:300].rstrip(".")


def _start_of(pid: int) -> float:
    """Seconds since the machine's own start, so that setting its clock does not make a stranger of a process."""
    try:
        return psutil.Process(pid).create_time() - psutil.boot_time()
    except psutil.NoSuchProcess:
        return 0.0


def _wait(pid: int, seconds: float) -> None:
    """Until it ended or is a zombie that another process has yet to let go."""
    give_up = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < give_up:
        time.sleep(0.02)
        reap()
