"""Payment files: the frozen bytes, approved by hash where they came late, carried by hand where nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import payments_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.deciding import HashOption, digest_of
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import (
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    calls,
    named,
    request_id,
    tell,
)
from services.sandbox.clients import Calls
from shared.rpc.channel import call

app = typer.Typer(help="Payment files.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="files/{message id}")]


@app.command("list")
def list_(
    batch: Annotated[str, typer.Argument(help="B42", show_default="all batches")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """The files of a batch."""
    request = pb.ListPaymentFilesRequest(parent=named("B", batch) if batch else "batches/-")
    found = listed(
        calls(home, person).payments.ListPaymentFiles, request, "payment_files",
        "name", "batch", "format", "control_sum", "state", "sha256",
    )  # fmt: skip
    tell({"files": found}, output=output)


@app.command()
def show(
    name: NameArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """One file without its bytes."""
    found = call(calls(home, person).payments.GetPaymentFile, pb.GetPaymentFileRequest(name=name), timeout=SECONDS)
    _tell(found, output)


@app.command()
def download(
    name: NameArgument,
    to: Annotated[Path | None, typer.Option(help="Where to write it.", show_default="{message id}.xml here")] = None,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Write the bytes of a file, as they were frozen."""
    settlement: Calls = calls(home, person)
    found = call(settlement.payments.DownloadFile, pb.DownloadFileRequest(name=name), timeout=SECONDS)
    file = to or Path(f"{name.rpartition('/')[2]}.xml")
    file.write_bytes(found.content)
    facts = {"file": name, "written": str(file), "bytes": len(found.content), "sha256": found.payment_file.sha256.hex()}
    released = found.payment_file.state == pb.PAYMENT_FILE_STATE_RELEASED
    tell(
        facts, then=f"carry it to the bank, then: coalition settle file sent {name}" if released else "", output=output
    )


@app.command()
def approve(
    name: NameArgument,
    sha256: HashOption,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Say yes to exactly these bytes: of a file that came after its batch was approved."""
    request = pb.ApproveFileRequest(
        name=name, request_id=request_id("approve file", name, sha256, person), sha256=digest_of(sha256)
    )
    _tell(call(calls(home, person).payments.ApproveFile, request, timeout=SECONDS), output)


@app.command()
def sent(
    name: NameArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """Say that a person carried a released file to the bank."""
    request = pb.MarkTransmittedRequest(name=name, request_id=request_id("sent", name))
    _tell(call(calls(home, person).payments.MarkTransmitted, request, timeout=SECONDS), output)


def _tell(file: pb.PaymentFile, output: Output) -> None:
    then = {
        pb.PAYMENT_FILE_STATE_BUILT: f"another person: coalition settle file approve {file.name} "
        f"--sha256 {file.sha256.hex()}",
        pb.PAYMENT_FILE_STATE_TRANSMITTED: "coalition settle bank import FILE",
    }.get(file.state, "")
    waits = file.state == pb.PAYMENT_FILE_STATE_BUILT
    tell(shown(file), then=then, code=NEEDS_A_PERSON if waits else DONE, output=output)
