"""How far the demo is: a bar where somebody watches, a line for each month where nobody does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from services.sandbox.demo.hours import trading_day

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


class Bar:
    """Counts purchases, or entries being verified."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task: TaskID | None = None
        self._what = ""
        self._lock = threading.Lock()
        self._month: date | None = None

    def begin(self, what: str, done: int, total: int) -> None:
        """Show another task in place of the one before."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._what = what
        self._task = self._progress.add_task(what, completed=done, total=total)

    def advance(self, at: datetime, purchases: int) -> None:
        """So many more purchases are in the ledger; any thread may say so."""
        if self._task is None:
            return
        day = trading_day(at)
        self._progress.update(self._task, advance=purchases, description=f"purchases, {day.isoformat()}")
        with self._lock:
            new_month, self._month = day.replace(day=1) != self._month, day.replace(day=1)
        if new_month and not self._console.is_terminal:
            self.say(f"purchases of {day:%B %Y}")

    def verifying(self, what: str, done: int, total: int) -> None:
        """How much of the journal or of the books has been looked at."""
        if what != self._what or self._task is None:
            self.begin(what, done, total)
            if not self._console.is_terminal:
                self.say(f"verifying the {what}")
        else:
            self._progress.update(self._task, completed=done, total=total)

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._console.print(f"  {text}", markup=False)


@contextmanager
def shown(console: Console) -> Iterator[Bar]:
    """A bar that disappears when its work is done."""
    with Progress(*_COLUMNS, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bar(console, progress)
