"""Lines are gathered, and none is lost or turned round."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
import threading
from pathlib import Path

from shared.lines import Lines
from tests.support.together import until


def test_a_line_is_written_soon() -> None:
    stream = io.StringIO()
    Lines(stream).put("a")
    until(lambda: stream.getvalue() == "a\n")


def test_a_line_that_must_not_wait_takes_those_before_it_along() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.put("a")
    lines.put("b")
    lines.now("c")
    assert stream.getvalue() == "a\nb\nc\n"


def test_lines_of_many_threads_arrive_once_each() -> None:
    stream = io.StringIO()
    lines = Lines(stream)

    def say(name: int) -> None:
        for number in range(500):
            lines.put(f"{name}.{number}")

    threads = [threading.Thread(target=say, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines.flush()
    found = stream.getvalue().splitlines()
    assert sorted(found) == sorted(f"{name}.{number}" for name in range(4) for number in range(500))
    first = [line for line in found if line.startswith("0.")]
    assert first == [f"0.{number}" for number in range(500)]


class Speaking(io.StringIO):
    """A stream in whose middle somebody has something to say, as destructors and signals do."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = Lines(self)

    def write(self, text: str) -> int:
        if text == "a\n":
            self.lines.now("b")
        return super().write(text)


def test_what_is_said_in_the_middle_of_writing_is_written_behind_it() -> None:
    stream = Speaking()
    stream.lines.now("a")
    assert stream.getvalue() == "a\nb\n"


class Full(io.StringIO):
    """A disk that is full for the first line."""

    def write(self, text: str) -> int:
        if text == "a\n":
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_a_disk_that_was_full_takes_what_comes_later() -> None:
    stream = Full()
    lines = Lines(stream)
    lines.put("a")
    until(lambda: not lines._waiting)
    lines.put("b")
    until(lambda: stream.getvalue() == "b\n")


def test_what_has_gathered_is_written_when_the_process_ends() -> None:
    program = "import sys; from shared.lines import Lines; Lines(sys.stderr).put('last words')"
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert run.stderr == "last words\n"
