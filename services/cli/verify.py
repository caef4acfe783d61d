"""`coalition verify`: does everything follow from the journal?"""

from __future__ import annotations

import json

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from services.cli.options import HomeOption, Output, OutputOption, home_of, notes
from services.sandbox.platform import running_platform
from services.sandbox.verification import Verdict
from services.sandbox.verification import verify as verdict_on

DIFFERENT = 1


def verify(home: HomeOption = None, output: OutputOption = Output.TEXT) -> None:
    """Replay the journal and compare balances, chains, checkpoints, statements and money; 1 is a difference."""
    operator = running_platform(home_of(home)).operator
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(what: str, done: int, total: int) -> None:
            task = tasks.setdefault(what, progress.add_task(what, total=total) if what not in tasks else tasks[what])
            progress.update(task, completed=done, total=total)

        verdict = verdict_on(operator, advance)
    print(_as_json(verdict) if output is Output.JSON else _as_text(verdict))
    if not verdict.verified:
        raise typer.Exit(DIFFERENT)


def _as_json(verdict: Verdict) -> str:
    return json.dumps({"verified": verdict.verified, "difference": verdict.difference or None, **verdict.counts})


def _as_text(verdict: Verdict) -> str:
    if not verdict.verified:
        return f"DIFFERENT: {verdict.difference}"
    return "verified: " + ", ".join(f"{count:,} {what}" for what, count in verdict.counts.items())
