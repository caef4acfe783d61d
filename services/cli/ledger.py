"""`coalition ledger`: its upkeep by the operator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import grpc
import typer
from coalition.ledger.v1 import ledger_pb2 as pb
from google.protobuf.json_format import MessageToDict
from rich.markup import escape

from services.cli.options import HomeOption, Output, OutputOption, answers, home_of
from services.sandbox.platform import running_platform
from services.sandbox.programs import run_program
from services.sandbox.services import LEDGER
from shared.rpc.remote import remote_refusal

app = typer.Typer(help="Upkeep of the ledger.", no_args_is_help=True)

_LOOK_SECONDS = 10
_THAW_SECONDS = 600


@app.command()
def replay(
    home: HomeOption = None,
    output: OutputOption = Output.TEXT,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the rebuilt tables in their schema.")] = False,
    schema: Annotated[str | None, typer.Option(help="Go on with a rebuild that was kept.")] = None,
) -> None:
    """Build balances, lots and holds again from the entries, in a schema of their own; 1 is a difference."""
    arguments = ["--output", output.value, *(["--keep"] if keep else []), *(["--schema", schema] if schema else [])]
    raise typer.Exit(run_program(running_platform(home_of(home)), LEDGER, "replay", arguments))


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(help="CSV: wallet,unit,issuer,points,earned_at,expires_on,campaign,reference", dir_okay=False),
    ],
    home: HomeOption = None,
    output: OutputOption = Output.TEXT,
    expect_rows: Annotated[int | None, typer.Option(min=0, help="Control total: rows without the header.")] = None,
    expect_points: Annotated[int | None, typer.Option(min=0, help="Control total: the sum of all points.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")] = False,
) -> None:
    """Post opening lots from a file, once however often it is run; meanwhile the ledger posts nothing else."""
    totals = {"--expect-rows": expect_rows, "--expect-points": expect_points}
    arguments = [str(file), "--output", output.value, *(["--dry-run"] if dry_run else [])]
    arguments += [word for name, total in totals.items() if total is not None for word in (name, str(total))]
    raise typer.Exit(run_program(running_platform(home_of(home)), LEDGER, "importer", arguments))


@app.command()
def freezes(home: HomeOption = None, output: OutputOption = Output.TEXT) -> None:
    """List the buckets that take no postings, and why; 1 when there are any."""
    operator = running_platform(home_of(home)).operator
    try:
        frozen = operator.ledger.ListFreezes(pb.ListFreezesRequest(), timeout=_LOOK_SECONDS).freezes
    except grpc.RpcError as error:
        raise remote_refusal(error) from error
    if output is Output.JSON:
        fields = [MessageToDict(freeze, always_print_fields_with_no_presence=True) for freeze in frozen]
        print(json.dumps({"freezes": fields}))
    else:
        for freeze in frozen:
            answers.print(f"bucket {freeze.bucket}, {freeze.freeze_time.ToJsonString()}: {escape(_told(freeze))}")
        if not frozen:
            answers.print("No bucket is frozen.")
    if frozen:
        raise typer.Exit(1)


@app.command()
def thaw(
    bucket: Annotated[int, typer.Argument(min=0, help="The bucket that was repaired.")], home: HomeOption = None
) -> None:
    """Compare a frozen bucket with its journal and, when they agree, let it take postings again."""
    operator = running_platform(home_of(home)).operator
    try:
        lifted = operator.ledger.ThawBucket(pb.ThawBucketRequest(bucket=bucket), timeout=_THAW_SECONDS)
    except grpc.RpcError as error:
        raise remote_refusal(error) from error
    answers.print(f"Bucket {lifted.bucket} agrees with its journal and takes postings again.")


def _told(freeze: pb.Freeze) -> str:
    found = freeze.difference
    return f"{found.subject} {found.name}: {found.detail}"
