"""Reference data: rates of exchange."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import reference_pb2 as pb
from google.type.decimal_pb2 import Decimal

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.batches import day_of
from services.cli.settle.papers import read
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import (
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    calls,
    request_id,
    second_person,
    tell,
)
from shared.rpc.channel import call
from shared.rpc.wire import date_pb

fx = typer.Typer(help="Rates of exchange.", no_args_is_help=True)


@fx.command()
def load(
    file: Annotated[Path, typer.Argument(help="CSV with the columns currency and quote.")],
    name: Annotated[str, typer.Option(help="fxSets/{id}")],
    day: Annotated[str, typer.Option(help="The day that the rates are of, 2026-12-01.")],
    base: Annotated[str, typer.Option(help="The currency that all quotes are against.")],
    source: Annotated[str, typer.Option(help="Who says so.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose a set of rates; another person approves."""
    content = read(file).decode("utf-8", "replace")
    rows = [(row.get("currency") or "", row.get("quote") or "") for row in csv.DictReader(io.StringIO(content))]
    fx_set = pb.FxSet(
        name=name,
        day=date_pb(day_of(day)),
        base=base,
        source=source,
        quotes=[pb.FxQuote(currency=currency, quote=Decimal(value=quote)) for currency, quote in rows],
    )
    made = call(
        calls(home, person).reference.LoadFxSet,
        pb.LoadFxSetRequest(request_id=request_id("fx", name, day, base, source, content), fx_set=fx_set),
        timeout=SECONDS,
    )
    then = second_person(made.proposal)
    tell({"fx_set": made.name, "proposal": made.proposal}, then=then, code=NEEDS_A_PERSON, output=output)


@fx.command("list")
def list_(person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """The sets of rates by name."""
    request = pb.ListFxSetsRequest()
    found = listed(calls(home, person).reference.ListFxSets, request, "fx_sets", "name", "day", "base", "source")
    tell({"fx_sets": found}, output=output)


@fx.command()
def show(
    name: Annotated[str, typer.Argument(help="fxSets/{id}")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """A set with its quotes."""
    request = pb.GetFxSetRequest(name=name)
    tell(shown(call(calls(home, person).reference.GetFxSet, request, timeout=SECONDS)), output=output)
