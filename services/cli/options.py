"""Options that several commands share, and what stands behind them."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.sandbox.home import Home, home_at

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the sandbox.", envvar="COALITION_HOME", show_default="~/.coalition"),
]


class Output(StrEnum):
    """How a command answers."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", help="For people, or one JSON object for programs.")]

answers = Console(highlight=False, soft_wrap=True)
"""What was asked for goes to stdout, so that it can be piped."""

notes = Console(stderr=True, highlight=False, soft_wrap=True)
"""What happens meanwhile goes to stderr."""


def home_of(named: Path | None) -> Home:
    """The home that the option, the environment or the default names."""
    return home_at(named)


def say(step: str) -> None:
    """One step of a longer command."""
    print(f"  {step}", file=sys.stderr, flush=True)
