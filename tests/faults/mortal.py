"""The ledger's own program, but one that dies where a file tells it to. What is deployed knows no such place.

    python -P -m tests.faults.mortal

The file named by CRASH_ARMED holds the name of a point and of a signal; when the next transaction gets there the
process sends itself that signal: SIGKILL, as `kill -9` would, or SIGSTOP to fall asleep right there. Its connections
are called by CRASH_NAME and its process id, to tell who wrote what.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any
from weakref import WeakSet

import psycopg

BEFORE_WRITING, BEFORE_COMMIT, AFTER_COMMIT = POSTING = ("before-writing", "before-commit", "after-commit")
BEFORE_OTHER, AFTER_OTHER = OTHERS = ("before-another-commit", "after-another-commit")
"""Of what is no posting: leases, decisions, notes of what has arrived."""
_FIRST_WRITE = "INSERT INTO ledger.entries"


class Armed:
    """The file, and the end."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def reached(self, point: str) -> None:
        """Die or sleep here if so told. A file that is not there is the usual case."""
        try:
            wanted = self._file.read_text()
        except FileNotFoundError:
            return
        if wanted.startswith(f"{point} "):
            self._file.unlink()
            os.kill(os.getpid(), signal.Signals[wanted.split()[1]])


def install(armed: Armed, name: str) -> None:
    """Put the points around every posting, whoever makes it."""
    posting: WeakSet[psycopg.Connection[Any]] = WeakSet()
    execute, commit, connect = psycopg.Cursor.execute, psycopg.Connection.commit, psycopg.connect

    def executing(self: psycopg.Cursor[Any], query: Any, *more: Any, **named: Any) -> psycopg.Cursor[Any]:  # noqa: ANN401
        if _FIRST_WRITE in str(query):
            posting.add(self.connection)
            armed.reached(BEFORE_WRITING)
        return execute(self, query, *more, **named)

    def committing(self: psycopg.Connection[Any]) -> None:
        is_posting = self in posting
        posting.discard(self)
        armed.reached(BEFORE_COMMIT if is_posting else BEFORE_OTHER)
        commit(self)
        armed.reached(AFTER_COMMIT if is_posting else AFTER_OTHER)

    def connecting(*args: Any, **named: Any) -> psycopg.Connection[Any]:  # noqa: ANN401
        return connect(*args, **{**named, "application_name": name})

    psycopg.Cursor.execute = executing  # type: ignore[assignment,method-assign]  # on purpose
    psycopg.Connection.commit = committing  # type: ignore[method-assign]  # on purpose
    psycopg.connect = connecting


if __name__ == "__main__":
    install(Armed(Path(os.environ["CRASH_ARMED"])), f"{os.environ['CRASH_NAME']}:{os.getpid()}")
    from services.ledger.main import main

    main()
