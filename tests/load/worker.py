"""A process of the bench: it is given a task, gets ready, waits for the word, and answers with one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

READY = "ready"


class Worker:
    """Such a process, as the one who started it sees it."""

    def __init__(self, process: subprocess.Popen[str], task: str) -> None:
        self._process = process
        self._tell(task)
        self._hear()

    def go(self) -> str:
        self._tell("go")
        return self._hear()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the bench ended early; it says why above")
        return line


@contextmanager
def worker(module: str, task: str, environment: dict[str, str] | None = None) -> Iterator[Worker]:
    """The worker, ready; it ends with the block."""
    command = [sys.executable, "-m", module]  # in a session of its own: Ctrl-C is for the bench, which ends it
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            yield Worker(process, task)
        finally:
            process.terminate()


def wait_for_the_word() -> bool:
    """Called by the process itself when it is ready. False when nobody wants it any more."""
    print(READY, flush=True)
    return bool(sys.stdin.readline())
