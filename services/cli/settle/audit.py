"""For auditors: an entry's whole chain, a batch's evidence pack, and everything calculated again."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import grpc
import typer
from coalition.settlement.v1 import proofs_pb2, steps_pb2
from coalition.settlement.v1 import settlement_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.ways import BLOCKED, DONE, LOCAL, SECONDS, PersonOption, calls, money, named, pages, tell
from services.sandbox.clients import Calls
from shared.rpc.channel import call
from shared.rpc.remote import remote_refusal

_LONG_SECONDS = 3600.0
_ENTRY = re.compile(r"(?:entries/)?([0-9]{1,5})[:-]([0-9]{1,18})")


def entry(
    place: Annotated[str, typer.Argument(help="bucket:seq, 7:1234")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """From an entry of the journal to the bank line."""
    found = _ENTRY.fullmatch(place)
    if found is None:
        raise typer.BadParameter(f"{place!r} is no entry: write 7:1234")
    request = proofs_pb2.ExplainEntryRequest(name=f"entries/{found[1]}-{found[2]}")
    one = call(calls(home, person).proofs.ExplainEntry, request, timeout=SECONDS)
    facts = {
        "entry": one.name,
        "window": one.window,
        "obligations": [
            {
                "leg": pb.Leg.Name(owed.leg).removeprefix("LEG_"),
                "who": f"{owed.debtor} owes {owed.creditor}",
                "points": owed.points,
                "exact": f"{owed.exact.value} {owed.currency}",
                "share": money(owed.share) if owed.HasField("share") else "",
                "line": ", ".join(f"{line.statement} line {line.line}" for line in owed.statement_lines),
            }
            for owed in one.obligations
        ],
        "batches": list(one.batches),
        "payments": [
            {"instruction": paid.instruction, "state": paid.state, "file": paid.file, "bank line": paid.bank_line}
            for paid in one.payments
        ],
        "waits for": one.waits_for,
    }
    tell(facts, output=output)


def pack(
    batch: Annotated[str, typer.Argument(help="B42")],
    to: Annotated[Path | None, typer.Option(help="Where to write it.", show_default="B42.zip in this folder")] = None,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Write the evidence pack of a batch; `python -m coalition.statements.pack` checks it anywhere."""
    name = named("B", batch)
    file = to or Path(f"{name.replace('batches/', 'B')}.zip")
    unfinished = file.with_name(f".{file.name}.part")
    stream = calls(home, person).proofs.ExportPack(proofs_pb2.ExportPackRequest(batch=name), timeout=_LONG_SECONDS)
    size = 0
    try:
        with unfinished.open("wb") as out:
            for one in stream:
                size += out.write(one.piece)
                print(f"\r{size:,} bytes", end="", file=sys.stderr)
    except grpc.RpcError as error:
        unfinished.unlink(missing_ok=True)
        raise remote_refusal(error) from error
    print(file=sys.stderr)
    unfinished.replace(file)
    then = f"python -m coalition.statements.pack {file} --key operator.pub"
    tell({"pack": str(file), "bytes": size}, then=then, output=output)


def doctor(person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Look at everything that may be wrong: reading, suspense, steps, quarantine."""
    settlement = calls(home, person)
    ingest = call(settlement.windows.GetIngestStatus, pb.GetIngestStatusRequest(), timeout=SECONDS)
    quarantine = call(settlement.steps.GetQuarantine, steps_pb2.GetQuarantineRequest(), timeout=SECONDS)
    wrong = [f"bucket {one.bucket} stopped: {one.stopped_because}" for one in ingest.buckets if one.stopped_because]
    if ingest.suspense_count:
        wrong.append(f"{ingest.suspense_count} entries have no price")
    if quarantine.why:
        wrong.append(f"QUARANTINE: {quarantine.why}")
    blocked = steps_pb2.ListStepsRequest(state=steps_pb2.STEP_STATE_BLOCKED)
    for page in pages(settlement.steps.ListSteps, blocked):
        wrong += [f"{step.name} is blocked: {step.blocked_because}" for step in page.steps]
    wrong += _unverified(settlement, 1, None)
    tell({"healthy": not wrong, "wrong": wrong}, code=BLOCKED if wrong else DONE, output=output)


def replay(
    windows: Annotated[str, typer.Argument(help="W1..W42")],
    compare: Annotated[
        bool, typer.Option("--compare", help="Say every difference; the exit code says it anyway.")
    ] = True,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Calculate closed windows again from the entries and their pinned inputs, and compare the bytes."""
    first, _, last = windows.partition("..")
    begin = int(named("W", first).removeprefix("windows/"))
    end = int(named("W", last or first).removeprefix("windows/"))
    wrong = _unverified(calls(home, person), begin, end)
    facts: dict[str, object] = {"windows": f"{begin}..{end}", "same": not wrong}
    tell(facts | ({"differences": wrong} if compare else {}), code=BLOCKED if wrong else DONE, output=output)


def _unverified(settlement: Calls, begin: int, end: int | None) -> list[str]:
    wrong = []
    for page in pages(settlement.windows.ListWindows, pb.ListWindowsRequest()):
        for window in page.windows:
            number = int(window.name.removeprefix("windows/"))
            closed = window.state not in (pb.WINDOW_STATE_OPEN, pb.WINDOW_STATE_CLOSING)
            if not closed or number < begin or (end is not None and number > end):
                continue
            print(f"\r{window.name}", end="", file=sys.stderr)
            found = call(
                settlement.windows.VerifyWindow, pb.VerifyWindowRequest(name=window.name), timeout=_LONG_SECONDS
            )
            if found.difference.subject:
                difference = found.difference
                wrong.append(f"{window.name}: {difference.subject} {difference.name}: {difference.detail}")
    print(file=sys.stderr)
    return wrong
