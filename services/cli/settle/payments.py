"""Payments: what became of each, and what two people decide about one that failed."""

from __future__ import annotations

from typing import Annotated

import typer
from coalition.settlement.v1 import payments_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import (
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    WhyOption,
    calls,
    named,
    request_id,
    second_person,
    tell,
)
from shared.rpc.channel import call

app = typer.Typer(help="Payments of a batch.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="batches/42/instructions/...")]
_DECIDE = {"UNKNOWN", "REJECTED", "RETURNED"}


@app.command("list")
def list_(
    batch: Annotated[str, typer.Argument(help="B42", show_default="all batches")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Payments, those of unknown fate first; 3 when one waits for a decision."""
    request = pb.ListInstructionsRequest(parent=named("B", batch) if batch else "batches/-")
    found = listed(
        calls(home, person).payments.ListInstructions, request, "instructions",
        "name", "partner", "amount", "state", "reference", "due_date",
    )  # fmt: skip
    waits = [one for one in found if one["state"] in _DECIDE]
    then = f"coalition settle payment show {waits[0]['name']}" if waits else ""
    tell({"payments": found}, then=then, code=NEEDS_A_PERSON if waits else DONE, output=output)


@app.command()
def show(
    name: NameArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """One payment, and what may be done about it."""
    found = call(calls(home, person).payments.GetInstruction, pb.GetInstructionRequest(name=name), timeout=SECONDS)
    then = {
        pb.INSTRUCTION_STATE_UNKNOWN: f"coalition settle resolve-unknown {name} --outcome ... --document ...",
        pb.INSTRUCTION_STATE_REJECTED: f"coalition settle payment supersede {name} --why ...",
        pb.INSTRUCTION_STATE_RETURNED: f"coalition settle payment supersede {name} --why ...",
    }.get(found.state, "")
    tell(shown(found), then=then, code=NEEDS_A_PERSON if then else DONE, output=output)


@app.command()
def supersede(
    name: NameArgument,
    why: WhyOption,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose to pay what was rejected or returned again, to an account that was verified since."""
    request = pb.SupersedeInstructionRequest(name=name, request_id=request_id("supersede", name, why), why=why)
    made = call(calls(home, person).payments.SupersedeInstruction, request, timeout=SECONDS)
    tell(shown(made), then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)


@app.command()
def carry(
    name: NameArgument,
    why: WhyOption,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose to leave what was rejected or returned to a later batch."""
    request = pb.CarryOverRequest(name=name, request_id=request_id("carry", name, why), why=why)
    made = call(calls(home, person).payments.CarryOver, request, timeout=SECONDS)
    tell(shown(made), then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)
