"""`coalition up`, `status` and `down`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

import typer
from rich.markup import escape

from services.cli.instants import instant_of
from services.cli.options import HomeOption, Output, OutputOption, answers, home_of, say
from services.sandbox import platform
from services.sandbox.platform import Seen


def up(
    home: HomeOption = None,
    port_base: Annotated[
        int | None,
        typer.Option(min=1024, max=65_530, help="Listen on this port and the ones after it.", show_default="free ones"),
    ] = None,
    clock: Annotated[
        str | None,
        typer.Option(
            help="`now` or an instant as 2017-01-01T00:00:00Z: give the sandbox a clock of its own, which stands still "
            "until `coalition clock` moves it; `machine`: follow the machine's clock again. Without this option the "
            "sandbox keeps the clock it has, which at first is the machine's.",
        ),
    ] = None,
) -> None:
    """Start PostgreSQL and the four services, or what of them does not run, and wait until they are healthy."""
    began = time.monotonic()
    running = platform.up(home_of(home), say=say, port_base=port_base, clock=_wish(clock))
    tenths = round((time.monotonic() - began) * 10)
    answers.print(f"Coalition is up in {running.home.root} ({tenths // 10}.{tenths % 10} s).")
    for service, address in running.targets.items():
        answers.print(f"  {service:<11}{address}")


def status(home: HomeOption = None, output: OutputOption = Output.TEXT) -> None:
    """Say what runs and whether it is healthy; the exit code is 0 when everything is."""
    chosen = home_of(home)
    seen = platform.status(chosen)
    if output is Output.JSON:
        print(json.dumps({"home": str(chosen.root), "processes": [asdict(one) for one in seen]}, indent=1))
    else:
        answers.print(f"Coalition in {chosen.root}")
        for one in seen:
            answers.print(_line(one))
    if any(one.state != "healthy" for one in seen):
        raise typer.Exit(1)


def down(home: HomeOption = None) -> None:
    """Stop what runs; what was stored stays."""
    stopped = platform.down(home_of(home), say=say)
    answers.print(f"Stopped {', '.join(stopped)}." if stopped else "Nothing was running.")


def _wish(clock: str | None) -> datetime | Literal["now", "machine"] | None:
    match clock:
        case None | "now" | "machine":
            return clock
        case _:
            return instant_of(clock)


def _line(one: Seen) -> str:
    state = f"{one.state:<10}" if one.state == "healthy" else f"[bold red]{one.state:<10}[/]"
    return f"  {one.name:<11}{state}{one.pid or '-':<9}{one.address}{'  ' if one.detail else ''}{escape(one.detail)}"
