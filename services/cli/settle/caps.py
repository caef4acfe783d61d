"""Caps: how far a partner may go into debt, what it may still award, and who may not award at all."""

from __future__ import annotations

from typing import Annotated

import typer
from coalition.settlement.v1 import batches_pb2 as pb
from google.type.decimal_pb2 import Decimal

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import (
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PartnerArgument,
    PersonOption,
    WhyOption,
    amount_of,
    calls,
    partner_name,
    request_id,
    second_person,
    tell,
)
from shared.rpc.channel import call

app = typer.Typer(help="Net debit caps, allowances, suspensions.", no_args_is_help=True)


@app.command("set")
def set_(
    partner: PartnerArgument,
    cap: Annotated[str, typer.Argument(help="The highest position, '80000.00 EUR'.")],
    alert: Annotated[str, typer.Option(help="Tell from here on, '60000.00 EUR'.")] = "",
    weight: Annotated[str, typer.Option(help="Part of the points outstanding that counts too, 0 to 1.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose a cap; another person approves."""
    parent = partner_name(partner)
    wanted = pb.Cap(
        net_debit_cap=amount_of(cap),
        alert_threshold=amount_of(alert) if alert else None,
        outstanding_weight=Decimal(value=weight) if weight else None,
    )
    request = pb.SetCapRequest(parent=parent, request_id=request_id("cap", parent, cap, alert, weight), cap=wanted)
    made = call(calls(home, person).caps.SetCap, request, timeout=SECONDS)
    facts = shown(made, "name", "net_debit_cap", "alert_threshold", "outstanding_weight", "proposal")
    tell(facts, then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)


@app.command()
def show(
    partner: PartnerArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """A partner's cap, and the allowance that follows from it."""
    request = pb.GetCapRequest(name=f"{partner_name(partner)}/cap")
    tell(shown(call(calls(home, person).caps.GetCap, request, timeout=SECONDS)), output=output)


@app.command("list")
def list_(person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """All caps in force; 3 when the ledger has not been told of one yet."""
    found = listed(calls(home, person).caps.ListCaps, pb.ListCapsRequest(), "caps")
    untold = [one for one in found if not one["told"]]
    tell({"caps": found}, code=NEEDS_A_PERSON if untold else DONE, output=output)


@app.command()
def suspend(
    partner: PartnerArgument,
    why: WhyOption,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """From now on a partner awards nothing, and its nets are held."""
    name = partner_name(partner)
    request = pb.SuspendPartnerRequest(partner=name, request_id=request_id("suspend", name, why), reason=why)
    made = call(calls(home, person).caps.SuspendPartner, request, timeout=SECONDS)
    if not made.suspended:  # the same words as before it was resumed
        then = f"coalition settle cap suspend {partner} --why (other words: these were said before)"
        tell(shown(made), then=then, code=NEEDS_A_PERSON, output=output)
    tell(shown(made), then=f"another person: coalition settle cap resume {partner} --why ...", output=output)


@app.command()
def resume(
    partner: PartnerArgument,
    why: WhyOption,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """A suspended partner goes on; another person than who suspended it says so."""
    name = partner_name(partner)
    request = pb.ResumePartnerRequest(partner=name, request_id=request_id("resume", name, why), reason=why)
    made = call(calls(home, person).caps.ResumePartner, request, timeout=SECONDS)
    then = ""
    if made.suspended:  # the same words as before it was suspended again
        then = f"coalition settle cap resume {partner} --why (other words: these were said before)"
    tell(shown(made), then=then, code=NEEDS_A_PERSON if then else DONE, output=output)
