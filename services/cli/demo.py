"""`coalition demo`: a year of real purchases, through the public API, to settled statements."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from services.cli.options import HomeOption, Output, OutputOption, answers, home_of, notes

DIFFERENT = 1
INTERRUPTED = 130


def demo(
    home: HomeOption = None,
    baskets: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            help="The first N baskets in time order, or all of the year's.",
            show_default="the first four weeks",
        ),
    ] = None,
    output: OutputOption = Output.TEXT,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Throw away the demo in this home and begin again; refused where others keep partners."
        ),
    ] = False,
) -> None:
    """Replay real purchases, settle them and verify; interrupted and run again, it goes on and counts nothing twice."""
    from services.sandbox.demo.plan import Slice  # the data's packages are optional, and slow to import
    from services.sandbox.demo.run import Demo
    from services.sandbox.demo.tables import rendered

    try:
        outcome = Demo(home_of(home), Slice.named(baskets), notes).play(fresh=fresh)
    except KeyboardInterrupt:
        notes.print("coalition: interrupted; run the same command again and it goes on where it was")
        raise typer.Exit(INTERRUPTED) from None
    if output is Output.JSON:
        print(json.dumps(outcome.as_json()))
    else:
        answers.print(rendered(outcome))
    if not outcome.verdict.verified:
        raise typer.Exit(DIFFERENT)
