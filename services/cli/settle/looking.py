"""For whoever asks what happened: entries, seals, states, what a later batch takes over, what two calculations say."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import batches_pb2, corrections_pb2, proofs_pb2, steps_pb2
from coalition.settlement.v1 import settlement_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import LOCAL, SECONDS, PersonOption, calls, named, pages, tell, window_name
from shared.rpc.channel import call

WindowArgument = Annotated[str, typer.Argument(help="W42")]


def entries(
    window: Annotated[str, typer.Argument(help="W42, or open.")],
    to: Annotated[Path, typer.Option(help="Where to write the CSV.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Write the entries of a window that moved money, with the version that priced each; END and their number last."""
    windows = calls(home, person).windows
    name = call(windows.GetWindow, pb.GetWindowRequest(name=window_name(window)), timeout=SECONDS).name
    columns, count = [field.name for field in pb.WindowEntry.DESCRIPTOR.fields], 0
    with to.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for page in pages(windows.ListWindowEntries, pb.ListWindowEntriesRequest(parent=name, page_size=1000)):
            for one in page.entries:
                row = shown(one)
                writer.writerow([row.get(column, "") for column in columns])
                count += 1
            print(f"\r{count:,} entries", end="", file=sys.stderr)
        writer.writerow(["END", count])
    print(file=sys.stderr)
    tell({"window": name, "written": str(to), "entries": count}, output=output)


def seal(
    window: WindowArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """The signed seal of a closed window."""
    found = call(
        calls(home, person).proofs.GetSeal, proofs_pb2.GetSealRequest(window=named("W", window)), timeout=SECONDS
    )
    tell({"seal": found.name, "sha256": found.sha256.hex(), "content": found.content.decode()}, output=output)


def history(
    name: Annotated[str, typer.Argument(help="What has a state: batches/42, breaks/7, proposals/7, ...")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Every state that something had: who moved it, when, why, with which evidence."""
    request = steps_pb2.ListTransitionsRequest(parent=name)
    found = call(calls(home, person).steps.ListTransitions, request, timeout=SECONDS).transitions
    tell({"of": name, "transitions": [shown(one) for one in found]}, output=output)


def openings(person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """What earlier batches carried, and no later one has taken yet."""
    request = batches_pb2.ListOpeningsRequest()
    tell({"openings": listed(calls(home, person).batches.ListOpenings, request, "openings")}, output=output)


def compare(
    batch: Annotated[str, typer.Argument(help="B42")],
    before: Annotated[int, typer.Option("--from", help="A calculation.", show_default="the one before the newest")] = 0,
    after: Annotated[int, typer.Option("--to", help="Another.", show_default="the newest")] = 0,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """What differs between two calculations of a batch."""
    request = batches_pb2.CompareRevisionsRequest(name=named("B", batch), from_calculation=before, to_calculation=after)
    found = call(calls(home, person).batches.CompareRevisions, request, timeout=SECONDS).differences
    tell({"batch": request.name, "differences": [shown(one) for one in found]}, output=output)


def adjustments(
    name: Annotated[str, typer.Argument(help="adjustments/7", show_default="list them")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Corrections of closed statements, and where each was posted."""
    corrections = calls(home, person).corrections
    if name:
        request = corrections_pb2.GetAdjustmentRequest(name=name)
        tell(shown(call(corrections.GetAdjustment, request, timeout=SECONDS)), output=output)
        return
    found = listed(corrections.ListAdjustments, corrections_pb2.ListAdjustmentsRequest(), "adjustments")
    tell({"adjustments": found}, output=output)
