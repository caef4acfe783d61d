"""Lines to a stream, many at a time: a call to the system for each of thousands of lines a second costs more than they.

What has gathered is written after a twentieth of a second, at once when somebody asks, and when the process ends; a
process that is killed takes the last twentieth of a second with it.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Final, TextIO

_GATHERING_SECONDS: Final = 0.05


class Lines:
    """Any thread may put lines; one of its own writes them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._writing = threading.Lock()
        self._writer: int | None = None
        self._wakes = threading.Event()
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None
        atexit.register(self.flush)

    def put(self, line: str) -> None:
        """Write it soon."""
        self._waiting.append(line)
        if not self._wakes.is_set():
            self._wakes.set()
            if self._thread is None:
                self._begin()

    def now(self, line: str) -> None:
        """Write it at once, after everything that came before."""
        self._waiting.append(line)
        self.flush()

    def write(self, text: str) -> None:
        """As a stream is written to: lines with their ends."""
        self.now(text.rstrip("\n"))

    def flush(self) -> None:
        """Write what has gathered, in its order."""
        if self._writer == threading.get_ident():
            return  # a destructor, or a signal, in the middle of writing has said something: it is taken along
        with self._writing:
            self._writer = threading.get_ident()
            try:
                self._write()
            finally:
                self._writer = None

    def _write(self) -> None:
        while self._waiting:
            gathered = [self._waiting.popleft() for _ in range(len(self._waiting))]
            self._stream.write("\n".join(gathered) + "\n")
            self._stream.flush()

    def _begin(self) -> None:
        with self._beginning:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._wakes.wait():
            time.sleep(_GATHERING_SECONDS)
            self._wakes.clear()  # before the lines are taken: what comes from now on wakes us again
            with suppress(OSError, ValueError):  # a full disk, a closed stream: those lines are lost, later ones not
                self.flush()
