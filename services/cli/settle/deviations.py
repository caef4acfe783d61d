"""Decisions out of the ordinary: going on in spite of a condition, a default, entries without a price, a quarantine."""

from __future__ import annotations

from typing import Annotated

import typer
from coalition.settlement.v1 import batches_pb2, steps_pb2
from coalition.settlement.v1 import settlement_pb2 as pb

from services.cli.options import HomeOption, Output, OutputOption
from services.cli.settle.shown import listed, shown
from services.cli.settle.ways import (
    BLOCKED,
    DONE,
    LOCAL,
    NEEDS_A_PERSON,
    SECONDS,
    PartnerArgument,
    PersonOption,
    WhyOption,
    amount_of,
    calls,
    named,
    partner_name,
    request_id,
    second_person,
    tell,
    window_name,
)
from shared.rpc.channel import call

BatchArgument = Annotated[str, typer.Argument(help="B42")]


def override(
    batch: BatchArgument,
    conditions: Annotated[list[str], typer.Option("--condition", help="CAP_BREACH, FUNDING_SHORT, ...; repeated.")],
    why: WhyOption,
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose that a batch may go on in spite of what blocks it; another person approves."""
    name = named("B", batch)
    request = batches_pb2.OverrideBatchRequest(
        name=name, request_id=request_id("override", name, why, *conditions), reason=why, conditions=conditions
    )
    made = call(calls(home, person).batches.OverrideBatch, request, timeout=SECONDS)
    facts = {"batch": name, "conditions": conditions, "proposal": made.proposal}
    tell(facts, then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)


def default(
    batch: BatchArgument,
    partner: PartnerArgument,
    why: WhyOption,
    guarantee: Annotated[
        str, typer.Option(help="What it really brings in, '20.00 EUR'.", show_default="what the contract says")
    ] = "",
    first_loss: Annotated[str, typer.Option(help="What the operator bears first, '15.00 EUR'.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Propose that a partner does not pay: the loss runs down its contract's order. Another person approves."""
    name, given = named("B", batch), {"GUARANTEE": guarantee, "OPERATOR": first_loss}
    request = batches_pb2.DeclareDefaultRequest(
        name=name,
        request_id=request_id("default", name, partner, why, guarantee, first_loss),
        reason=why,
        partner=partner_name(partner),
        covers=[batches_pb2.DefaultCover(cover=cover, amount=amount_of(text)) for cover, text in given.items() if text],
    )
    made = call(calls(home, person).batches.DeclareDefault, request, timeout=SECONDS)
    facts = {"batch": name, "partner": request.partner, "proposal": made.proposal}
    tell(facts, then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)


def suspense(
    window: Annotated[str, typer.Argument(help="W42, or open.")],
    waive: Annotated[bool, typer.Option("--waive", help="Propose to close without their money.")] = False,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Entries of a window that have no price; or propose to close it without their money."""
    windows = calls(home, person).windows
    name = call(windows.GetWindow, pb.GetWindowRequest(name=window_name(window)), timeout=SECONDS).name
    if waive:
        if not why:
            raise typer.BadParameter("say --why")
        request = pb.WaiveSuspenseRequest(name=name, request_id=request_id("waive", name, why), why=why)
        made = call(windows.WaiveSuspense, request, timeout=SECONDS)
        tell(shown(made), then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)
        return
    found = listed(windows.ListSuspense, pb.ListSuspenseRequest(parent=name), "entries")
    waits = [one for one in found if not one["waiver"]]
    then = f"coalition settle suspense {name} --waive --why ..." if waits else ""
    tell({"window": name, "entries": found}, then=then, code=NEEDS_A_PERSON if waits else DONE, output=output)


def quarantine(
    lift: Annotated[bool, typer.Option("--lift", help="Propose to end it.")] = False,
    why: Annotated[str, typer.Option("--why", help="What was compared, for the record.")] = "",
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Why nothing is sent after a restore; or propose to end that. 4 while it stands."""
    steps = calls(home, person).steps
    if lift:
        if not why:
            raise typer.BadParameter("say --why")
        request = steps_pb2.LiftQuarantineRequest(request_id=request_id("lift", why, person), why=why)
        made = call(steps.LiftQuarantine, request, timeout=SECONDS)
        tell(shown(made), then=second_person(made.proposal), code=NEEDS_A_PERSON, output=output)
        return
    found = call(steps.GetQuarantine, steps_pb2.GetQuarantineRequest(), timeout=SECONDS)
    then = second_person(found.proposal) or ("coalition settle quarantine --lift --why ..." if found.why else "")
    tell(shown(found), then=then, code=BLOCKED if found.why else DONE, output=output)


def retry(
    step: Annotated[str, typer.Argument(help="steps/{kind}/..., as `settle doctor` names it.")],
    person: PersonOption = LOCAL,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Try a step that is blocked again, when what blocked it is out of the way."""
    steps = calls(home, person).steps
    blocked = steps_pb2.ListStepsRequest(state=steps_pb2.STEP_STATE_BLOCKED)
    waiting = {one["name"]: one for one in listed(steps.ListSteps, blocked, "steps")}
    if step not in waiting:
        tell({"step": step, "blocked": False}, then="coalition settle doctor", output=output)
        return
    request = steps_pb2.RetryBlockedRequest(name=step, request_id=request_id("retry", step, waiting[step]))
    tell(shown(call(steps.RetryBlocked, request, timeout=SECONDS)), then="coalition settle doctor", output=output)
