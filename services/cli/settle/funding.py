"""Funding: what the clearing accounts can pay, and money of the operator's own."""

from __future__ import annotations

from typing import Annotated

import typer
from coalition.settlement.v1 import funding_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.ways import (
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PersonOption,
    amount_of,
    calls,
    money,
    pages,
    request_id,
    second_person,
    tell,
)
from services.sandbox.clients import Calls
from shared.rpc.channel import call


def fund(
    amount: Annotated[str, typer.Argument(help="'1000.00 EUR'", show_default="show what is free")] = "",
    source: Annotated[str, typer.Option(help="The bank's reference of the transfer.")] = "",
    back: Annotated[bool, typer.Option("--back", help="It was taken back from the clearing account.")] = False,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """What can be paid; or propose that money of the operator's own may be paid out."""
    settlement = calls(home, person)
    if not amount:
        _show(settlement, output)
        return
    wanted = amount_of(f"-{amount}" if back else amount)
    if not source:
        raise typer.BadParameter("name the --source: the bank's reference of the transfer")
    request = pb.AddPrefundingRequest(
        request_id=request_id("fund", money(wanted), source), prefunding=pb.Prefunding(amount=wanted, source=source)
    )
    made = call(settlement.funding.AddPrefunding, request, timeout=SECONDS)
    facts = {"prefunding": made.name, "amount": money(made.amount), "proposal": made.proposal}
    tell(facts, then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)


def _show(settlement: Calls, output: Output) -> None:
    found = call(settlement.funding.GetFunding, pb.GetFundingRequest(), timeout=SECONDS).currencies
    facts = {
        "currencies": [
            {"free": money(one.free), "waiting": money(one.waiting), "missing": money(one.missing)} for one in found
        ],
        "prefundings": [
            {"prefunding": one.name, "amount": money(one.amount), "source": one.source}
            for page in pages(settlement.funding.ListPrefundings, pb.ListPrefundingsRequest())
            for one in page.prefundings
        ],
    }
    missing = [one.missing for one in found if one.missing.units or one.missing.nanos]
    then = f"coalition settle fund '{money(missing[0])}' --source ..." if missing else ""
    tell(facts, then=then, code=NEEDS_A_PERSON if missing else DONE, output=output)
