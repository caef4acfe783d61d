"""`coalition clock`: what time it is in the sandbox, and moving it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from services.cli.instants import instant_of, moved, step_of
from services.cli.options import HomeOption, answers, home_of
from services.sandbox import clocks

app = typer.Typer(help="Look at the sandbox's clock, set it, move it.", invoke_without_command=True)


@app.callback()
def show(context: typer.Context, home: HomeOption = None) -> None:
    """Say what time it is in the sandbox."""
    if context.invoked_subcommand is None:
        chosen = home_of(home)
        whose = "the sandbox's own clock" if clocks.has_clock(chosen) else "the machine's clock"
        answers.print(f"{_text(clocks.now(chosen))} ({whose})")


@app.command("set")
def set_(
    instant: Annotated[str, typer.Argument(help="As 2017-01-01T00:00:00Z; a day alone begins at midnight UTC.")],
    home: HomeOption = None,
) -> None:
    """Set the sandbox's clock, forward or back."""
    answers.print(_text(clocks.set_to(home_of(home), instant_of(instant))))


@app.command(context_settings={"ignore_unknown_options": True})
def move(
    step: Annotated[str, typer.Argument(help="As 1d, 2h30m, 45s; with a minus, back.")], home: HomeOption = None
) -> None:
    """Move the sandbox's clock by a step."""
    chosen = home_of(home)
    answers.print(_text(clocks.set_to(chosen, moved(clocks.now(chosen), step_of(step)))))


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
