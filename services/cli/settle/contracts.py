"""Contracts: versions that are proposed and listed, and what a partner owes now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from coalition.settlement.v1 import settlement_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.papers import message_of
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import (
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PartnerArgument,
    PersonOption,
    calls,
    partner_name,
    request_id,
    second_person,
    tell,
)
from shared.rpc.channel import call

app = typer.Typer(help="Terms of partners, and what they owe.", no_args_is_help=True)


@app.command()
def publish(
    partner: PartnerArgument,
    file: Annotated[Path, typer.Argument(help="A ContractVersion as JSON.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose a version of a partner's contract; another person approves."""
    parent, version = partner_name(partner), message_of(file, pb.ContractVersion())
    request = pb.PublishContractVersionRequest(
        parent=parent,
        request_id=request_id("contract", parent, version.SerializeToString(deterministic=True).hex()),
        contract_version=version,
    )
    made = call(calls(home, person).contracts.PublishContractVersion, request, timeout=SECONDS)
    waits = made.state == pb.CONTRACT_VERSION_STATE_PROPOSED
    then = second_person(made.proposal) if waits else ""
    tell(shown(made), then=then, code=NEEDS_A_PERSON if waits else 0, output=output)


@app.command("list")
def list_(
    partner: PartnerArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """All versions of a partner's contract, oldest first."""
    request = pb.ListContractVersionsRequest(parent=partner_name(partner))
    found = listed(calls(home, person).contracts.ListContractVersions, request, "contract_versions")
    tell({"contract_versions": found}, output=output)


@app.command()
def position(
    partner: PartnerArgument, person: PersonOption = LOCAL, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """What a partner owes the operator now, exact and unrounded."""
    request = pb.GetPositionRequest(name=f"{partner_name(partner)}/position")
    tell(shown(call(calls(home, person).contracts.GetPosition, request, timeout=SECONDS)), output=output)
