"""Reports for accountants and auditors, made anew from what is stored."""

from __future__ import annotations

import csv
import io
import sys
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import grpc
import typer
from coalition.settlement.v1 import reports_pb2 as pb
from google.type.decimal_pb2 import Decimal

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.papers import read
from services.cli.settle.shown import shown
from services.cli.settle.ways import (
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    amount_of,
    calls,
    named,
    tell,
    window_name,
)
from shared.rpc.channel import call
from shared.rpc.remote import remote_refusal

app = typer.Typer(help="Liability, reserve, deferred revenue, books, reconciliation.", no_args_is_help=True)
_LONG_SECONDS = 3600.0
PointsOption = Annotated[int, typer.Option(help="How many points.", min=0)]


@app.command()
def liability(
    window: Annotated[str, typer.Argument(help="W42, or open.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """The liability roll-forward of a window: points outstanding by issuer and month, and what moved them."""
    request = pb.GetLiabilityRequest(window=window_name(window))
    last = pb.GetLiabilityResponse()
    try:
        for last in calls(home, person).reports.GetLiability(request, timeout=_LONG_SECONDS):
            if last.total:
                print(f"\r{last.entries:,} of {last.total:,} entries", end="", file=sys.stderr)
    except grpc.RpcError as error:
        raise remote_refusal(error) from error
    print(file=sys.stderr)
    closing = sum(one.closing for one in last.vintages)
    facts = {"window": request.window, "outstanding": closing, "vintages": [shown(one) for one in last.vintages]}
    then = f"coalition settle report reserve --points {closing} --rate ... --urr ... --held ..." if closing else ""
    tell(facts, then=then, output=output)


@app.command()
def reserve(
    points: PointsOption,
    rate: Annotated[str, typer.Option(help="What a point will cost to reimburse, 0.009.")],
    urr: Annotated[str, typer.Option(help="The ultimate redemption rate, 0 to 1: the estimate.")],
    held: Annotated[str, typer.Option(help="What is held now, '7650.00 EUR'.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """What must stand against points outstanding; 3 when some of it is missing."""
    request = pb.GetReserveRequest(
        outstanding_points=points,
        reimbursement_rate=Decimal(value=rate),
        ultimate_redemption_rate=Decimal(value=urr),
        held=amount_of(held),
    )
    found = call(calls(home, person).reports.GetReserve, request, timeout=SECONDS)
    missing = found.top_up.units or found.top_up.nanos
    tell({**shown(found), "estimate": urr}, code=NEEDS_A_PERSON if missing else DONE, output=output)


@app.command()
def revenue(
    sales: Annotated[str, typer.Option(help="What the goods were sold for, points included: '100000 EUR'.")],
    points: PointsOption,
    value: Annotated[str, typer.Option(help="What a point would cost alone, 0.01.")],
    year: Annotated[list[str], typer.Option(help="Points expected at last and redeemed so far, 9500:4500; repeated.")],
    places: Annotated[
        int | None, typer.Option(help="Round to so many decimals.", show_default="the currency's")
    ] = None,
    passed_on: Annotated[str, typer.Option(help="Of an agent: what it passed on, '9000 EUR'.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Deferred revenue: the points' part of sales, and what of it each year books."""
    request = pb.GetRevenueRequest(
        sales=amount_of(sales),
        points=points,
        point_value=Decimal(value=value),
        estimates=[_estimate(one) for one in year],
        places=places,
        passed_on=amount_of(passed_on) if passed_on else None,
    )
    tell(shown(call(calls(home, person).reports.GetRevenue, request, timeout=SECONDS)), output=output)


@app.command()
def books(
    windows: Annotated[str, typer.Argument(help="W1..W42, or W42.")],
    to: Annotated[Path, typer.Option(help="Where to write the CSV.")],
    codes: Annotated[
        Path | None, typer.Option(help="CSV with the columns account and code: those of the general ledger.")
    ] = None,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Write the books in double entry, balanced, for the general ledger. The same again: the same bytes."""
    first, _, last = windows.partition("..")
    request = pb.ExportBooksRequest(
        first_window=named("W", first), last_window=named("W", last or first), account_codes=_codes(codes)
    )
    content = bytearray()
    try:
        for one in calls(home, person).reports.ExportBooks(request, timeout=_LONG_SECONDS):
            content += one.piece
            print(f"\r{len(content):,} bytes", end="", file=sys.stderr)
    except grpc.RpcError as error:
        raise remote_refusal(error) from error
    print(file=sys.stderr)
    to.write_bytes(content)
    end = content.decode().splitlines()[-1].split(",")
    facts = {"books": str(to), "entries": int(end[1]), "sums": end[2:], "sha256": sha256(content).hexdigest()}
    tell(facts, output=output)


@app.command()
def reconciliation(
    batch: Annotated[str, typer.Argument(help="B42")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Ledger, statements and bank side by side; 3 when they do not agree, or money is still on its way."""
    request = pb.GetReconciliationRequest(batch=named("B", batch))
    found = call(calls(home, person).reports.GetReconciliation, request, timeout=SECONDS)
    apart = [one for one in found.windows if one.ledger_entries != one.counted_entries]
    open_ = [one for one in found.partners if one.open.units or one.open.nanos]
    then = "coalition settle breaks" if found.break_count else "coalition settle bank import FILE" if open_ else ""
    disagrees = bool(apart or open_ or found.break_count)
    tell(
        {**shown(found), "agrees": not disagrees}, then=then, code=NEEDS_A_PERSON if disagrees else DONE, output=output
    )


def _estimate(text: str) -> pb.RevenueEstimate:
    expected, _, redeemed = text.partition(":")
    if not (expected.isdecimal() and redeemed.isdecimal()):
        raise typer.BadParameter(f"{text!r} is no year: write 9500:4500, points expected and redeemed")
    return pb.RevenueEstimate(expected_points=int(expected), redeemed_points=int(redeemed))


def _codes(file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    rows = csv.DictReader(io.StringIO(read(file).decode("utf-8", "replace")))
    return {row.get("account") or "": row.get("code") or "" for row in rows}
