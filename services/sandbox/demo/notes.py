"""How far the demo has come, in one small file of the home.

A step is noted when it is finished and before the next one begins, so that at most one step is ever half-done, and it
can be repeated, since every request id comes from the data. Only one thing could not be asked of the services
afterwards: that a wish was refused. It must not be tried again after points have come in; it is not, because points
come in only in later steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.sandbox.home import read_json, write_json
from services.sandbox.refusals import FileDamaged


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A point in the script: a day, and the steps of that day that are finished."""

    day: date
    finished: int = 0


@dataclass(frozen=True, slots=True)
class Notes:
    """What a run leaves for the next one."""

    plan: str  # the slice in words
    first_window: int  # the settlement window that was open when the demo began
    next_step: Step | None  # None when all is done


class Notebook:
    """The file. It is replaced as a whole and reaches the disk before the next step begins."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Notes | None:
        """The notes, or None before the first run."""
        match read_json(self._file):
            case None:
                return None
            case {"plan": str(plan), "first_window": int(window), "next_day": None}:
                return Notes(plan, window, None)
            case {
                "plan": str(plan),
                "first_window": int(window),
                "next_day": str(day),
                "finished_steps": int(finished),
            }:
                return Notes(plan, window, Step(_day(self._file, day), finished))
            case _:
                raise _damaged(self._file)

    def write(self, notes: Notes) -> None:
        """Note a finished step."""
        step = notes.next_step
        content: dict[str, object] = {"plan": notes.plan, "first_window": notes.first_window, "next_day": None}
        if step is not None:
            content |= {"next_day": step.day.isoformat(), "finished_steps": step.finished}
        write_json(self._file, content)


def _day(file: Path, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _damaged(file) from None


def _damaged(file: Path) -> FileDamaged:
    return FileDamaged(file=file, meaning="the notes of the demo")
